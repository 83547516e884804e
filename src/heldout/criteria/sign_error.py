"""Sign error: how often a change of one hyper-parameter moves the measure the wrong way; its mean, its tail and its worst case."""

import numpy as np
from scipy.sparse import csr_matrix

from heldout.catalog import criterion
from heldout.engine.judging import Design
from heldout.engine.judging.design import Floats

EFFECTIVE = 0.12  # of an environment's pairs: the paper's 12 of 10 x 10


@criterion(
    source="Dziugaite et al. 2020, section 3 and appendix",
    range=(0.0, 1.0),
    chance=0.5,
    smaller_is_better=True,
    by_axis=True,
    parts=("mean", "ninetieth-percentile", "worst"),
)
def sign_error(
    measures: Floats,
    targets: Floats,
    multiplicities: Floats,
    design: Design,
    test_size: float,
    *,
    axis: int | None = None,
) -> dict[str, Floats]:
    r"""Share of wrong signs in each environment, an environment being two configurations that differ in one hyper-parameter.

    .. math:: \tfrac12 (1 - \mathrm{sign}(\Delta\mu)\,\mathrm{sign}(\Delta g)), \quad
        w = \left(\max(0, 1 - 2 e^{-n (\Delta g)^2 / 2})^2 - \tfrac12\right)_+

    Every pair of seeds has the weight w with which n test examples tell its two gaps apart; environments whose weights amount to
    less than 12 % of their pairs are left out. A theory should hold in every environment: the mean hides what the worst case shows,
    and the worst case of every measure in the paper's table is 1. The mean over all environments is ruled by the axes with large
    effects: read it axis by axis.

    Args:
        measures: ``[K, N]``, oriented so that larger promises more error.
        targets: ``[R, N]``.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``.
        design: Of the N networks.
        test_size: n, examples behind each target; infinite if the targets are exact.
        axis: One hyper-parameter's environments; None for all.

    Returns:
        Mean, ninetieth percentile and largest over environments, each ``[K, R]``; NaN where no environment is left.

    Example:
        >>> from heldout.engine.judging import designed
        >>> design = designed({"width": np.array([1, 2, 3])})
        >>> gap = np.array([[0.1, 0.2, 0.3]])
        >>> found = sign_error(np.array([[1.0, 3, 2]]), gap, np.ones((1, 3)), design, np.inf)
        >>> found["mean"].round(3).item(), found["worst"].item()
        (0.333, 1.0)
    """
    pairs = design.one_axis
    own = np.full(len(pairs.axis), True) if axis is None else pairs.axis == axis
    first, second = pairs.first[own], pairs.second[own]
    replicates = max(len(targets), len(multiplicities))
    shape = (len(measures), replicates)
    mean, tail, worst = (np.full(shape, np.nan) for _ in range(3))
    if not len(first):
        return {"mean": mean, "ninetieth-percentile": tail, "worst": worst}
    ends = np.sort(np.stack([design.configurations[first], design.configurations[second]], axis=1), axis=1)
    _, environment, sizes = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    member = csr_matrix((np.ones(len(first)), (np.arange(len(first)), environment)), shape=(len(first), len(sizes)))
    signs = np.sign(measures[:, first] - measures[:, second])
    for replicate in range(replicates):
        target = targets[replicate % len(targets)]
        drawn = multiplicities[replicate % len(multiplicities)]
        difference = target[first] - target[second]
        sure = _sureness(difference, test_size)
        effective = np.square(member.T @ sure) / np.maximum(member.T @ np.square(sure), 1e-300)
        both = member.T @ (drawn[first] * drawn[second]) / sizes
        kept = (effective >= EFFECTIVE * sizes) & (both > 0)
        if not kept.any():
            continue
        agreed = (signs * (sure * np.sign(difference))) @ member
        errors = 0.5 * (1 - agreed[:, kept] / (member.T @ sure)[kept])
        mean[:, replicate] = errors @ both[kept] / both[kept].sum()
        tail[:, replicate] = np.quantile(errors, 0.9, axis=1)
        worst[:, replicate] = errors.max(axis=1)
    return {"mean": mean, "ninetieth-percentile": tail, "worst": worst}


def _sureness(difference: Floats, test_size: float) -> Floats:
    """How surely the sign of a difference is known."""
    if np.isinf(test_size):
        return np.where(difference != 0, 0.5, 0.0)
    known = np.maximum(0.0, 1 - 2 * np.exp(-2 * test_size * np.square(difference / 2))) ** 2
    return np.maximum(known - 0.5, 0.0)
