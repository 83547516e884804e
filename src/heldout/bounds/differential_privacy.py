"""Differential privacy: a network that hardly depends on any example cannot have been fitted to them."""

from typing import Any

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.numerics.max_information import max_information
from heldout.records import Bounded


def private_choices(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: of 64 coin-tossing classifiers the exponential mechanism of epsilon 0.05 picks one on 400 examples.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    import torch

    wrong = generator.binomial(400, 0.5, size=(problems, 64))
    chance = np.exp(-0.05 / 2 * (wrong - wrong.min(1, keepdims=True)))  # one example moves a count by one at most
    picked = (chance.cumsum(1) < generator.random((problems, 1)) * chance.sum(1, keepdims=True)).sum(1)
    errors = np.arange(400) < np.take_along_axis(wrong, picked[:, None], axis=1)
    return {"errors": torch.from_numpy(errors.astype(np.float64)), "privacy": 0.05}, np.full(problems, 0.5)


@bound(
    source="Dwork et al. 2015, Generalization in adaptive data analysis and holdout reuse (max-information), with a smaller constant",
    certifies="this network",
    statement="probability over the draw of the training examples and the randomness of the training",
    family="privacy",
    problem=private_choices,
)
def differential_privacy(errors: Tensor, privacy: float, *, log_delta: float) -> Bounded:
    r"""Risk from training errors, after paying for what an epsilon-private training can know of its examples.

    .. math:: \sup\{p : P[\mathrm{Bin}(n, p) \le k] \ge \tfrac{\delta}{2} e^{-I}\}, \quad
        I = \min\Big(\epsilon n,\; v + \sqrt{v^2 + 2 v \ln \tfrac{2}{\delta}}\Big), \quad v = \tfrac{n \epsilon^2}{4}

    I is the max-information in nats: whatever has probability q for a network that never saw the examples has at most
    :math:`e^I q + \delta/2` for this one. The log-likelihood ratio of an outcome changes by at most epsilon with an example, so
    that it concentrates; that is the second form (``engine.numerics.max_information`` derives it). It speaks where epsilon is well
    below one over the root of n, and heldout takes the word of whoever trained the network for epsilon.

    Args:
        errors: 0-1 errors on the training examples, ``[M, N]``.
        privacy: Epsilon, of pure differential privacy with respect to these examples, one being replaced.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> import torch
        >>> said = differential_privacy((torch.arange(10000) < 500)[None].double(), 0.005, log_delta=np.log(0.05))
        >>> print(f"{said.value[0]:.4f}")
        0.0551
    """
    wrong, n = errors.double().sum(-1).cpu().numpy(), errors.shape[-1]
    half = log_delta - np.log(2.0)
    information = max_information(privacy, n, float(half))
    spent = np.full(wrong.shape, np.nextafter(half - information, -np.inf))
    return Bounded(
        value=np.asarray(binomial_inverse_upper(wrong, n, spent)),
        steps=(
            ("the number of errors is this small, at delta/2 times e^-information", 0.5),
            ("the training's likelihood ratio stays within its max-information", 0.5),
        ),
        empirical_risk=wrong / n,
        examples=n,
        data={
            "bound": f"all {n} training examples, assumed to be independent draws",
            "assumption": f"training was {privacy:g}-differentially private, as the user declares",
        },
        terms={"max-information in nats": np.full(wrong.shape, information)},
    )
