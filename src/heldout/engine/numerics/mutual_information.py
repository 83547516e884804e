"""Mutual information of discrete variables by the plug-in estimate, for many networks at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def entropy(counts: ArrayLike, axes: int) -> Values:
    """Entropy of the empirical distribution, ``-sum p log2 p``, in bits.

    Args:
        counts: ``[..., K_1, ..., K_axes]``, how often each combination occurred.
        axes: How many of the last axes are the variable.

    Returns:
        ``[...]``.

    Example:
        >>> entropy([5, 5, 5, 5], axes=1).item()
        2.0
    """
    table = np.asarray(counts, dtype=np.float64)
    flat = table.reshape(*table.shape[: table.ndim - axes], -1)
    shares = flat / flat.sum(-1, keepdims=True)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(-(shares * logs).sum(-1))


def joint_counts(*variables: ArrayLike) -> Values:
    """How often each combination of values occurs.

    Args:
        *variables: Whole numbers from 0, ``[..., N]``; leading axes are broadcast against each other.

    Returns:
        ``[..., K_1, K_2, ...]`` where K_i is one more than the largest value of variable i.
    """
    arrays = np.broadcast_arrays(*(np.asarray(variable, dtype=np.int64) for variable in variables))
    sizes = [int(array.max()) + 1 for array in arrays]
    leading, cells = arrays[0].shape[:-1], int(np.prod(sizes))
    flat = np.ravel_multi_index(arrays, sizes).reshape(-1, arrays[0].shape[-1])
    shifted = flat + cells * np.arange(len(flat))[:, None]
    return np.bincount(shifted.ravel(), minlength=cells * len(flat)).reshape(*leading, *sizes).astype(np.float64)


def mutual_information(first: ArrayLike, second: ArrayLike) -> Values:
    """``I(A; B) = H(A) + H(B) - H(A, B)`` of the empirical distribution, in bits.

    Its bias is about ``(K_A - 1)(K_B - 1) / (2 N ln 2)`` upwards.

    Args:
        first: A, whole numbers from 0, ``[..., N]``.
        second: B, likewise.

    Returns:
        ``[...]``, at least 0.

    Example:
        >>> mutual_information([0, 0, 1, 1], [0, 0, 1, 1]).item(), mutual_information([0, 0, 1, 1], [0, 1, 0, 1]).item()
        (1.0, 0.0)
    """
    counts = joint_counts(first, second)
    return np.maximum(entropy(counts.sum(-1), 1) + entropy(counts.sum(-2), 1) - entropy(counts, 2), 0.0)


def conditional_mutual_information(first: ArrayLike, second: ArrayLike, given: ArrayLike) -> Values:
    """``I(A; B | C) = H(A, C) + H(B, C) - H(A, B, C) - H(C)`` of the empirical distribution, in bits.

    Args:
        first: A, whole numbers from 0, ``[..., N]``.
        second: B, likewise.
        given: C, likewise.

    Returns:
        ``[...]``, at least 0.

    Example:
        >>> conditional_mutual_information([0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]).item()  # A is B xor C
        1.0
    """
    counts = joint_counts(first, second, given)
    apart = entropy(counts.sum(-2), 2) + entropy(counts.sum(-3), 2)
    return np.maximum(apart - entropy(counts, 3) - entropy(counts.sum((-3, -2)), 1), 0.0)


def explained_information(function: ArrayLike, labels: ArrayLike, simple: ArrayLike) -> Values:
    """``mu_Y(F; L) = I(F; Y) - I(F; Y | L)``: what F says of Y that L explains, in bits (Kalimeris et al. 2019, definition 1).

    It is symmetric in F and L, at most ``min(I(F; Y), I(L; Y))``, and can be negative.

    Args:
        function: Predictions F, whole numbers from 0, ``[..., N]``.
        labels: Y, likewise.
        simple: Predictions L of the simpler classifier, likewise.

    Returns:
        ``[...]``.

    Example:
        >>> explained_information([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]).item()
        1.0
    """
    return mutual_information(function, labels) - conditional_mutual_information(function, labels, simple)
