"""What the PAC-Bayes bounds are made from: a trained posterior's divergence, and what its draws did on the bound's examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SingleDraw:
    """One network drawn from the posterior of every member, once.

    Attributes:
        risk: Its mean loss on the bound's examples, ``[M]``.
        log_ratio: Logarithm of the density ratio of posterior and prior there, in nats, ``[M]``.
    """

    risk: Floats
    log_ratio: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Gibbs:
    """A Gibbs predictor of every member, evaluated by drawing.

    Attributes:
        divergence: KL of the posterior from the prior, nats, ``[M]``.
        price: Nats paid for choosing the prior among several after seeing the data, ``[M]``.
        risk: Mean loss over all draws, ``[M]``.
        draws: How many independent losses in [0, 1] that is a mean of: pairs of example and draw, or draws judged on all examples.
        examples: How many examples the bound rests on; the prior saw none of them.
        single: One draw and its density ratio.
        pair_risk: Share of examples that both of two independent draws get wrong, ``[M]``.
        pairs: How many independent pairs that is a mean of.
        reference_errors: Errors of the prior's own network on the bound's examples, where it was trained on others, ``[M]``.
        data: Role -> which examples, in words.
    """

    divergence: Floats
    price: Floats
    risk: Floats
    draws: int
    examples: int
    single: SingleDraw
    pair_risk: Floats
    pairs: int
    reference_errors: Floats | None = None
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Recursion:
    """A sequence of T posteriors, each the prior of the next, evaluated by drawing.

    Attributes:
        divergence: Of each posterior from its predecessor, the first from a prior that saw nothing, nats, ``[T, M]``.
        price: Nats paid for choosing that first prior, ``[M]``.
        risk: Mean loss of the first posterior over its draws, ``[M]``.
        shares: Of the later ones, how often the excess loss over gamma times the predecessor's is at least 0, at least 1 - gamma,
            and 1, over pairs of draws, ``[T - 1, 3, M]``.
        draws: How many independent ones these are means of, T numbers.
        examples: How many examples each step's bound rests on, T numbers; its prior saw none of them.
        gamma: How much of the former bound is kept.
        data: Role -> which examples, in words.
    """

    divergence: Floats
    price: Floats
    risk: Floats
    shares: Floats
    draws: tuple[int, ...]
    examples: tuple[int, ...]
    gamma: float
    data: Mapping[str, str] = field(default_factory=dict)
