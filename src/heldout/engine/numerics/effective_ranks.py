"""Effective ranks of a spectrum: how many directions the small eigenvalues amount to together (Bartlett et al. 2020)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal


class EffectiveRanks(NamedTuple):
    """Both effective ranks of what remains of a spectrum after its k largest values, for every k from 0.

    Attributes:
        r: ``sum_{i>k} lambda_i / lambda_{k+1}``, float64 ``[p]``.
        R: ``(sum_{i>k} lambda_i)^2 / sum_{i>k} lambda_i^2``, float64 ``[p]``.
    """

    r: Floats
    R: Floats


def effective_ranks(spectrum: ArrayLike) -> EffectiveRanks:
    """The effective ranks r_k and R_k of a spectrum, for every k from 0 to p - 1.

    Bartlett, Long, Lugosi and Tsigler (2020), Benign overfitting in linear regression, definition 3:
    ``r_k = sum_{i>k} lambda_i / lambda_{k+1}``, ``R_k = (sum_{i>k} lambda_i)^2 / sum_{i>k} lambda_i^2``. For p equal values
    both are p - k; always ``1 <= r_k <= R_k <= r_k^2`` (lemma 5) and both are at most p - k. They see the spectrum only, not
    where in it the signal lies.

    Args:
        spectrum: Positive eigenvalues of the inputs' covariance, in any order, ``[p]``.

    Returns:
        r and R; entry k belongs to what is left after the k largest.

    Raises:
        Refusal: If the spectrum is empty, not one row, or holds a value that is not positive and finite.

    Example:
        >>> effective_ranks([1.0, 1.0, 1.0, 1.0]).R.tolist()
        [4.0, 3.0, 2.0, 1.0]
    """
    values = np.asarray(spectrum, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0)).all():
        raise Refusal(
            given=f"spectrum had shape {values.shape}, or values that were not positive and finite",
            expected="one row of positive eigenvalues",
            do="leave zeros out, or pass numpy.linalg.eigvalsh(covariance)",
        )
    ordered = np.sort(values)  # ascending: sums of tails add small to large
    tails, squares = np.cumsum(ordered)[::-1], np.cumsum(ordered**2)[::-1]
    return EffectiveRanks(tails / ordered[::-1], tails**2 / squares)


def benign_index(spectrum: ArrayLike, examples: int, *, b: float = 1.0) -> int:
    """The number of directions in which minimum-norm least squares is no better than least squares: k*.

    Bartlett et al. (2020), theorem 4: ``k* = min{k >= 0: r_k >= b n}`` for a universal constant b, unknown and of order one.
    The variance of the minimum-norm solution is of the order ``sigma^2 (k* / n + n / R_{k*})``.

    Args:
        spectrum: As of ``effective_ranks``.
        examples: n.
        b: The constant.

    Returns:
        k*; p, the whole dimension, where no k will do.

    Example:
        >>> benign_index([5.0, 5.0, *[0.01] * 100], examples=50)
        2
        >>> benign_index([1.0, 0.5, 0.25], examples=50)
        3
    """
    enough = effective_ranks(spectrum).r >= b * examples
    return int(enough.argmax()) if enough.any() else len(enough)


def variance_order(spectrum: ArrayLike, examples: int, *, b: float = 1.0) -> float:
    """The order of the variance of minimum-norm least squares by effective ranks: ``k* / n + n / R_{k*}``.

    Bartlett et al. (2020), theorem 4; a bound from both sides up to constants. It cannot see the bias.

    Args:
        spectrum: As of ``effective_ranks``.
        examples: n.
        b: The constant in k*.

    Returns:
        The order, in units of the noise variance; infinite where no k* exists.

    Example:
        >>> round(variance_order([5.0, 5.0, *[0.01] * 100], examples=50), 6)  # 2/50 + 50/100
        0.54
    """
    index = benign_index(spectrum, examples, b=b)
    ranks = effective_ranks(spectrum).R
    return index / examples + examples / float(ranks[index]) if index < len(ranks) else float("inf")
