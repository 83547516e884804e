"""Log-loss in bits that is bounded because a share of the probability is spread evenly over the vocabulary."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.records import Refusal

Floats = NDArray[np.float64]
#: Shares that may be chosen after looking at the data: eight, so that a message pays three bits for the choice.
SHARES, SHARE_BITS = (1e-4, 1e-3, 5e-3, 0.01, 0.05, 0.1, 0.25, 0.5), 3


def smoothed_bits(log_probability: ArrayLike, share: float, vocabulary: int) -> Floats:
    r"""The code length of a token under a smoothed prediction.

    .. math:: -\log_2((1 - \alpha) p + \alpha / V)

    Lotfi et al. 2024 (ICML). It cannot tell apart tokens whose probability is far below alpha / V.

    Args:
        log_probability: Natural logarithm of p, of any shape; above 0 only by rounding.
        share: Alpha.
        vocabulary: V.

    Returns:
        Bits, float64, within :func:`span`.

    Example:
        >>> print(np.round(smoothed_bits(np.log([1.0, 0.25, 1e-300]), 0.5, 4), 3))
        [0.678 2.    3.   ]
    """
    low, high = span(share, vocabulary)
    p = np.exp(np.minimum(np.asarray(log_probability, dtype=np.float64), 0.0))
    return np.clip(-np.log2((1.0 - share) * p + share / vocabulary), low, high)


def span(share: float, vocabulary: int) -> tuple[float, float]:
    """The smallest and largest smoothed loss, rounded outward: ``-log2(1 - a + a/V)`` and ``log2(V/a)``.

    Args:
        share: Alpha, strictly between 0 and 1.
        vocabulary: V, at least 2.

    Returns:
        Both in bits; their difference is ``log2(1 + (1 - a) V / a)``.

    Raises:
        Refusal: If either is not as said.

    Example:
        >>> low, high = span(0.01, 50257)
        >>> print(f"{high - low:.1f}")
        22.2
    """
    if not 0 < share < 1:
        raise Refusal(given=f"smoothing was {share}", expected="strictly between 0 and 1", do="pass smoothing=0.01")
    if vocabulary < 2:
        raise Refusal(given=f"vocabulary was {vocabulary}", expected="at least 2 tokens", do="pass 256 for bytes")
    low, high = -np.log2(1.0 - share + share / vocabulary), np.log2(vocabulary) - np.log2(share)
    margin = 1e-14 * high
    return max(0.0, float(low - margin)), float(high + margin)


def to_unit(bits: ArrayLike, share: float, vocabulary: int) -> Floats:
    """Smoothed losses, or their means, rescaled to [0, 1].

    Args:
        bits: Of any shape.
        share: Alpha.
        vocabulary: V.

    Returns:
        In [0, 1].
    """
    low, high = span(share, vocabulary)
    return np.clip((np.asarray(bits, dtype=np.float64) - low) / (high - low), 0.0, 1.0)


def from_unit(unit: ArrayLike, share: float, vocabulary: int) -> Floats:
    """A bound in [0, 1] in bits again, rounded up, never above the range.

    Args:
        unit: In [0, 1].
        share: Alpha.
        vocabulary: V.

    Returns:
        Bits.
    """
    low, high = span(share, vocabulary)
    return np.minimum(high, (low + np.asarray(unit, dtype=np.float64) * (high - low)) * (1.0 + 1e-14))
