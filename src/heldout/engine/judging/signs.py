"""Sums of sign agreements over pairs, for many measures and many replicates at once: one matrix product a block of pairs."""

import numpy as np
from scipy.stats import rankdata

from heldout.engine.judging.design import Codes, Floats

BLOCK = 1 << 14  # pairs handled together: their signs stay in cache


def order(values: Floats) -> np.ndarray:
    """Values as numbers that compare as they do, exact in float32 up to 16 million of them.

    Args:
        values: ``[K, N]``.

    Returns:
        ``[K, N]``, float32.

    Example:
        >>> order(np.array([[0.1, 1e9, 0.1]])).tolist()
        [[1.0, 2.0, 1.0]]
    """
    return np.asarray(rankdata(values, method="dense", axis=1), dtype=np.float32)


def agreement(
    measures: Floats, targets: Floats, multiplicities: Floats, first: Codes, second: Codes, base: Floats
) -> tuple[Floats, Floats]:
    r"""Weighted sums of :math:`\mathrm{sign}(\mu_i - \mu_j)\,\mathrm{sign}(g_i - g_j)` over pairs.

    Args:
        measures: ``[K, N]``.
        targets: ``[R, N]`` or ``[1, N]``, one row a replicate.
        multiplicities: How often each network counts, ``[R, N]`` or ``[1, N]``; a pair counts as their product.
        first: i, ``[P]``.
        second: j, ``[P]``.
        base: Weight of each pair, ``[P]``, or one for all.

    Returns:
        The sums ``[K, R]``, and the sums of weights ``[R]``.

    Example:
        >>> once = np.ones((1, 3))
        >>> sums, total = agreement(np.array([[1.0, 2, 3]]), np.array([[1.0, 3, 2]]), once, *np.triu_indices(3, 1), np.ones(1))
        >>> sums.item(), total.item()
        (1.0, 3.0)
    """
    replicates = max(len(targets), len(multiplicities))
    sums, total = np.zeros((len(measures), replicates)), np.zeros(replicates)
    left, right = order(measures), order(targets)
    drawn, each = multiplicities.astype(np.float32), np.broadcast_to(base, first.shape).astype(np.float32)
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        i, j = first[part], second[part]
        weights = drawn[:, i] * drawn[:, j] * each[part]
        signs = np.sign(right[:, i] - right[:, j]) * weights
        sums += np.sign(left[:, i] - left[:, j]) @ signs.T
        total += weights.sum(-1, dtype=np.float64)
    return sums, total
