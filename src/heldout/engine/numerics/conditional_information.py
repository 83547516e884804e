"""Information that outcomes carry about a fair choice, estimated from few draws, with what chance alone would show."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from heldout.engine.numerics.mutual_information import joint_counts, mutual_information
from heldout.records import Refusal

Values = NDArray[np.float64]


def plug_in(outcomes: ArrayLike, choices: ArrayLike) -> Values:
    """Mutual information of the empirical distribution, in nats.

    Args:
        outcomes: Whole numbers from 0, ``[..., D]``.
        choices: 0 or 1, ``[..., D]``.

    Returns:
        ``[...]``, at least 0.

    Example:
        >>> print(f"{plug_in([0, 0, 1, 1], [0, 0, 1, 1]).item():.4f}")  # ln 2
        0.6931
    """
    return np.asarray(mutual_information(outcomes, choices) * np.log(2.0))


def miller_madow(outcomes: ArrayLike, choices: ArrayLike) -> Values:
    r"""The same less its bias to first order, in nats; it may be below 0.

    .. math:: \hat I + \frac{(K_A - 1) + (K_U - 1) - (K_{AU} - 1)}{2 D}

    Miller (1955), Note on the bias of information estimates: an entropy of K occupied cells is too small by (K - 1) / (2 D).

    Args:
        outcomes: Whole numbers from 0, ``[..., D]``.
        choices: 0 or 1, ``[..., D]``.

    Returns:
        ``[...]``.

    Example:
        >>> print(f"{miller_madow([0, 0, 1, 1], [0, 1, 0, 1]).item():.4f}")  # 0 + (1 + 1 - 3) / 8
        -0.1250
    """
    counts = joint_counts(outcomes, choices)
    draws = counts.sum((-1, -2))
    alone, chosen = ((counts.sum(axis) > 0).sum(-1) for axis in (-1, -2))
    both = (counts > 0).sum((-1, -2))
    return np.asarray(plug_in(outcomes, choices) + (alone + chosen - both - 1) / (2 * draws))


def symmetric_information(counts: ArrayLike) -> Values:
    r"""Plug-in information of a loss difference about a fair coin, in nats, of a law that swapping both leaves as it is.

    .. math:: I = (p_- + p_+) \, [\ln 2 - h(p_+ / (p_- + p_+))], \quad h(q) = -q \ln q - (1 - q) \ln(1 - q)

    Args:
        counts: How often the hidden loss was smaller, equal and larger than the seen one, ``[..., 3]``.

    Returns:
        ``[...]``, 0 where there are no counts.

    Example:
        >>> print(f"{symmetric_information([0, 3, 1]).item() / np.log(2):.2f}")  # a quarter of the draws tells the coin
        0.25
    """
    table = np.asarray(counts, dtype=np.float64)
    smaller, larger, total = table[..., 0], table[..., 2], np.maximum(table.sum(-1), 1.0)
    both = np.maximum(smaller + larger, 1.0)
    entropy = -(xlogy(smaller, smaller / both) + xlogy(larger, larger / both)) / both
    return np.asarray((smaller + larger) / total * np.maximum(np.log(2.0) - entropy, 0.0))


def mean_root(information: ArrayLike) -> Values:
    r"""What information bounds the expected gap by, ``mean_i sqrt(2 max(I_i, 0))``.

    Args:
        information: In nats, ``[..., n]``.

    Returns:
        ``[...]``.

    Example:
        >>> mean_root([0.5, -0.1]).item()
        0.5
    """
    return np.sqrt(2 * np.maximum(np.asarray(information, dtype=np.float64), 0.0)).mean(-1)


def by_chance(
    outcomes: NDArray[np.int64], choices: NDArray[np.int64], *, shuffles: int, generator: np.random.Generator
) -> Values:
    """The corrected estimate of :func:`mean_root` where the draws of the choices are shuffled, so that nothing is there to be seen.

    All pairs are shuffled alike: what they have in common stays.

    Args:
        outcomes: ``[n, D]``.
        choices: ``[n, D]``.
        shuffles: How many.
        generator: Randomness.

    Returns:
        ``[shuffles]``.

    Raises:
        Refusal: If there is no shuffle.
    """
    if shuffles < 1:
        raise Refusal(given=f"shuffles was {shuffles}", expected="at least 1", do="pass shuffles=100")
    orders = [generator.permutation(choices.shape[-1]) for _ in range(shuffles)]
    return np.array([float(mean_root(miller_madow(outcomes, choices[:, order]))) for order in orders])


def coded(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Columns of values as one whole number from 0 for each combination that occurs.

    Args:
        values: ``[n, D, K]``.

    Returns:
        ``[n, D]``, numbered apart for every row.

    Example:
        >>> coded(np.array([[[4, 1], [4, 1], [0, 9]]])).tolist()
        [[1, 1, 0]]
    """
    return np.stack([np.unique(row, axis=0, return_inverse=True)[1].reshape(-1) for row in values]).astype(np.int64)
