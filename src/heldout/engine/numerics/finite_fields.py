"""Linear algebra over the integers modulo a prime, for many matrices at once."""

import numpy as np


def row_reduced(matrices: np.ndarray, prime: int) -> np.ndarray:
    """Reduced row echelon forms.

    Args:
        matrices: Whole numbers ``[R, n, d]``.
        prime: q.

    Returns:
        ``[R, n, d]``, entries from 0 to q - 1.

    Example:
        >>> row_reduced(np.array([[[2, 1], [1, 1]]]), 3).tolist()
        [[[1, 0], [0, 1]]]
    """
    rows = np.array(matrices, dtype=np.int64) % prime
    count, height, width = rows.shape
    inverse = np.array([0, *(pow(value, -1, prime) for value in range(1, prime))])
    done = np.zeros(count, dtype=np.int64)  # pivots found so far
    every = np.arange(count)
    for column in range(width):
        below = np.arange(height)[None, :] >= done[:, None]
        candidates = below & (rows[:, :, column] != 0)
        has = candidates.any(1) & (done < height)
        source, target = candidates.argmax(1), np.minimum(done, height - 1)
        chosen, other = rows[every, source].copy(), rows[every, target].copy()
        rows[every, source] = np.where(has[:, None], other, rows[every, source])
        pivot = chosen * inverse[chosen[:, column]][:, None] % prime
        rows[every, target] = np.where(has[:, None], pivot, rows[every, target])
        factors = rows[:, :, column].copy()
        factors[every, target] = 0
        factors[~has] = 0
        rows = (rows - factors[:, :, None] * rows[every, target][:, None, :]) % prime
        done += has
    return rows


def rank(matrices: np.ndarray, prime: int) -> np.ndarray:
    """Ranks modulo a prime.

    Args:
        matrices: Whole numbers ``[R, n, d]``.
        prime: q.

    Returns:
        ``[R]``.

    Example:
        >>> rank(np.array([[[1, 2], [2, 4]], [[1, 2], [2, 5]]]), 7).tolist()
        [1, 2]
    """
    return np.asarray((row_reduced(matrices, prime) != 0).any(2).sum(1))


def full_rank_probability(size: int, prime: int) -> float:
    """The chance that a uniformly random square matrix is invertible: the product of 1 - q^-i.

    Args:
        size: n.
        prime: q.

    Returns:
        A probability.

    Example:
        >>> full_rank_probability(1, 2), full_rank_probability(2, 2)
        (0.5, 0.375)
    """
    return float(np.prod(1 - float(prime) ** -np.arange(1, size + 1)))
