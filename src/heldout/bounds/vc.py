"""Vapnik's bounds with the growth function of the architecture: true of every network of that shape, and as a rule empty."""

from typing import Any

import numpy as np
from torch import Tensor

from heldout.catalog import bound
from heldout.engine.evidence.chains import Link
from heldout.engine.numerics.capacity import dimension, log_piecewise_linear, relative_upper, vapnik_upper
from heldout.records import Bounded

STATEMENT = "probability over the draw of the training examples, for all networks of this architecture at once"


def thresholds(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: the best of 199 lines through one input on 4,000 examples with 40 % of wrong labels.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    import torch

    # inputs on 200 places, label "above the middle" and wrong with probability 0.4; a cut at c errs 0.4 + 0.2 |c - 100|/200
    counts = generator.multinomial(4000, np.full(200, 1 / 200), size=problems)
    ones = generator.binomial(counts, np.where(np.arange(200) < 100, 0.4, 0.6))
    below, above = np.cumsum(ones, axis=1), np.cumsum((counts - ones)[:, ::-1], axis=1)[:, ::-1]
    wrong = below[:, :-1] + above[:, 1:]  # ones below the cut, zeros above it
    cut = wrong.argmin(axis=1)
    errors = np.arange(4000) < np.take_along_axis(wrong, cut[:, None], axis=1)
    return {
        "errors": torch.from_numpy(errors.astype(np.float64)),
        "chain": (Link("cut", 2, (), 1, 2),),
    }, 0.4 + 0.2 * np.abs(cut + 1 - 100) / 200


def _bounded(errors: Tensor, chain: tuple[Link, ...], log_delta: float, relative: bool) -> Bounded:
    risk, n = errors.double().mean(-1).cpu().numpy(), errors.shape[-1]
    parameters, pieces = [link.parameters for link in chain], [link.pieces for link in chain]
    classes = max(2, chain[-1].outputs)

    def growth(m: int) -> float:
        return log_piecewise_linear(m, parameters, pieces, classes)

    log_growth = growth(2 * n)
    formula = relative_upper if relative else vapnik_upper
    each = np.ones_like(risk)
    return Bounded(
        value=formula(risk, log_growth, n, log_delta),
        steps=(
            ("the errors of no labelling by this architecture stray so far on the examples and as many others", 1.0),
        ),
        empirical_risk=risk,
        examples=n,
        data={"bound": f"all {n} training examples, assumed to be independent draws"},
        terms={
            "log growth function at 2 n": log_growth * each,
            "dimension at most": dimension(growth) * each,
            "parameters": sum(parameters) * each,
        },
    )


@bound(
    source="Vapnik and Chervonenkis 1971; growth function after Bartlett, Harvey, Liaw and Mehrabian 2019, Theorem 6",
    certifies="this network",
    statement=STATEMENT,
    family="vc",
    problem=thresholds,
)
def vapnik(errors: Tensor, chain: tuple[Link, ...], *, log_delta: float) -> Bounded:
    r"""Training error plus a width that counts all labellings the architecture could give.

    .. math:: \hat R + \sqrt{\tfrac{8}{n} \ln \tfrac{4 \Pi(2n)}{\delta}}

    The labellings are counted for chains of dense or convolutional layers with ReLUs and maximum pooling and any number of classes,
    whatever trained them. A term says the largest sample that could be shattered: it bounds the VC dimension, and with more classes
    Natarajan's. Where weights outnumber examples the number is above 1: it says by how much counting falls short.

    Args:
        errors: 0-1 errors on the training examples, ``[M, N]``.
        chain: The layers.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> import torch
        >>> said = vapnik(torch.zeros(1, 60000), (Link("line", 6, (), 2, 2),), log_delta=np.log(0.05))
        >>> print(f"{said.value[0]:.3f}, dimension at most {said.terms['dimension at most'][0]:.0f}")
        0.100, dimension at most 29
    """
    return _bounded(errors, chain, log_delta, relative=False)


@bound(
    source="Anthony and Shawe-Taylor 1993, Theorem 2.1; growth function after Bartlett et al. 2019, Theorem 6",
    certifies="this network",
    statement=STATEMENT,
    family="vc",
    problem=thresholds,
)
def vapnik_relative(errors: Tensor, chain: tuple[Link, ...], *, log_delta: float) -> Bounded:
    r"""The same by deviations relative to the risk, which are smaller where few training examples are wrong.

    .. math:: \hat R + \tfrac{a}{2}\left(1 + \sqrt{1 + 4 \hat R / a}\right), \quad a = \tfrac{4}{n} \ln \tfrac{4 \Pi(2n)}{\delta}

    Args:
        errors: 0-1 errors on the training examples, ``[M, N]``.
        chain: The layers.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> import torch
        >>> said = vapnik_relative(torch.zeros(1, 60000), (Link("line", 6, (), 2, 2),), log_delta=np.log(0.05))
        >>> print(f"{said.value[0]:.4f}")
        0.0050
    """
    return _bounded(errors, chain, log_delta, relative=True)
