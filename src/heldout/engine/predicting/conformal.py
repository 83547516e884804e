"""Conformal inference for data in groups: a new observation of a new group."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def hierarchical_quantile(scores: Floats, groups: Codes, level: float) -> float:
    r"""The score that a new observation of a new group exceeds with probability at most ``1 - level``.

    .. math:: Q_{level}\Big( \sum_{k=1}^K \sum_{i=1}^{n_k} \frac{1}{(K+1) n_k} \delta_{s_{ki}}
        + \frac{1}{K+1} \delta_{\infty} \Big)

    Holds for any scores if the K groups and the new one are exchangeable, and so are the observations within a group: every group
    weighs the same, however many it has (Lee, Barber and Willett 2023, section 3, hierarchical conformal prediction).

    Args:
        scores: ``[n]``.
        groups: Number of each one's group, ``[n]``.
        level: Between 0 and 1.

    Returns:
        The quantile; infinity where there are too few groups.

    Example:
        With one observation a group it is split conformal prediction's: the 9th smallest of nine at 0.9.

        >>> hierarchical_quantile(np.arange(9.0), np.arange(9), 0.9), hierarchical_quantile(np.arange(8.0), np.arange(8), 0.9)
        (8.0, inf)
    """
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(1 / counts[codes[order]]) / (len(counts) + 1)
    enough = np.flatnonzero(reached >= level - 1e-12)
    return float(scores[order[enough[0]]]) if len(enough) else float("inf")


def hierarchical_tail(new: Floats, scores: Floats, groups: Codes) -> Floats:
    r"""Conformal p-values of new observations of new groups: how often one of the old kind scores as high.

    .. math:: p = \frac{1}{K+1} \Big( 1 + \sum_{k=1}^K \frac{1}{n_k} \#\{ i : s_{ki} \ge s \} \Big)

    Args:
        new: Their scores, ``[M]``.
        scores: ``[n]``.
        groups: ``[n]``.

    Returns:
        ``[M]``, at least ``1 / (K + 1)``.

    Example:
        >>> hierarchical_tail(np.array([2.5]), np.arange(4.0), np.arange(4)).tolist()
        [0.4]
    """
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    above = (scores[None, :] >= new[:, None]) / counts[codes][None, :]
    return (1 + above.sum(1)) / (len(counts) + 1)


def fewest_groups(level: float) -> int:
    """Groups without which no interval at this level is finite: ``level / (1 - level)``, rounded up.

    Args:
        level: Between 0 and 1.

    Returns:
        Their number.

    Example:
        >>> fewest_groups(0.9), fewest_groups(0.95)
        (9, 19)
    """
    return ceil(level / (1 - level) - 1e-9)
