"""A posterior on all examples with two priors, each of which saw one half: the bound of either half speaks of the other."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.drawing import errors_of_draws, posterior_for, trained_networks
from heldout.engine.evidence.posteriors import FROM_SPLIT, NARROW, can_have_posterior
from heldout.engine.population import stream
from heldout.engine.posteriors import Gaussian, divergence
from heldout.engine.posteriors.splitting import check_prior
from heldout.engine.subject import Subject
from heldout.engine.training import Recipe

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """One Gibbs predictor and two priors.

    Attributes:
        divergences: From the prior that saw the other half, for each half, nats, ``[2, M]``.
        examples: In the two halves.
        risk: Mean loss over all draws and examples, ``[M]``.
        draws: How many independent losses that is a mean of.
        data: Role -> which examples, in words.
    """

    divergences: Floats
    examples: tuple[int, int]
    risk: Floats
    draws: int
    data: dict[str, str]


@evidence(forward=400, backward=400, requires=can_have_posterior)
def crossed_gibbs(subject: Subject, train_repeats: int, recipe: Recipe, seed: int) -> Crossed:
    """Priors trained on each half from where the networks began, a posterior between them trained on all, and its draws."""
    assert subject.initial is not None  # can_have_posterior was asked first
    order = torch.randperm(len(subject.train), generator=stream(seed, "crossed priors"))
    cut = len(order) // 2
    halves = (order[:cut].sort().values, order[cut:].sort().values)
    for seen, bound in (halves, halves[::-1]):
        check_prior(subject.train, seen, bound, content=subject.duplicates == "refuse")
    trained = [trained_networks(subject.initial, subject.train.take(half), recipe, seed) for half in halves]
    scales = Gaussian.relative(subject.initial, NARROW).log_scales  # no example took part in them
    priors = [Gaussian(networks, scales) for networks in trained]
    middle = {name: (weight + trained[1].parameters[name]) / 2 for name, weight in trained[0].parameters.items()}
    between = subject.initial.with_tensors(middle, subject.initial.buffers)
    # with equal scales the sum of the two divergences is twice that from the middle, and a constant
    found = posterior_for(between, Gaussian(between, scales), subject.train, subject, FROM_SPLIT, seed).posterior
    wrong, draws = errors_of_draws(subject, found, subject.train, seed, "crossed draws")
    nats = [divergence(found, prior) for prior in priors[::-1]]  # the bound on a half has the prior of the other
    return Crossed(
        divergences=torch.stack(nats).double().cpu().numpy(),
        examples=(len(halves[0]), len(halves[1])),
        risk=_mean(wrong),
        draws=draws,
        data={
            "priors": f"each trained on one half of {len(order)} training examples, drawn with seed {seed}",
            "posterior": f"all {len(order)} training examples",
            "bound": "each half with the prior of the other, assumed to be independent draws",
            "draws": f"made once, from seed {seed}",
        },
    )


def _mean(wrong: Tensor) -> Floats:
    return wrong.flatten(1).double().mean(1).cpu().numpy()
