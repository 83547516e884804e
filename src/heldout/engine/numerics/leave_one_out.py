"""Information about which of n + 1 examples was left out, from the losses on all of them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr, xlogy
from scipy.stats import binom

from heldout.records import Refusal

Values = NDArray[np.float64]
Counts = NDArray[np.int64]


def gap_of(information: ArrayLike, seen: int) -> Values:
    r"""The expected gap that so much information allows, the loss being in [0, 1].

    .. math:: |E[R - \hat R]| \le \frac{n+1}{n} \sqrt{I / 2}

    With u left out of n + 1, loss on it less mean loss on the others is :math:`\frac{n+1}{n}(\ell_u - \bar\ell)`. For fixed losses
    and independent, uniform u its mean is 0 and its range (n + 1) / n wide: it is subgaussian with half that width (Hoeffding),
    and the inequality of Donsker and Varadhan gives :math:`\sqrt{2 \sigma^2 I}`.

    Args:
        information: In nats, ``[...]``; below 0 counts as 0.
        seen: n.

    Returns:
        ``[...]``.

    Raises:
        Refusal: If nothing was seen.

    Example:
        >>> gap_of([0.0, 0.5], 1).tolist()
        [0.0, 1.0]
    """
    if seen < 1:
        raise Refusal(given=f"seen was {seen}", expected="at least one example", do="pass the size of the training set")
    return (seen + 1) / seen * np.sqrt(np.maximum(np.asarray(information, dtype=np.float64), 0.0) / 2)


def exchangeable_information(wrong: ArrayLike, totals: ArrayLike, points: int) -> Values:
    r"""What 0-1 losses on all points say of the one that was left out, the points being unknown and exchangeable, in nats.

    .. math:: I(L; U) = E_T \, \mathrm{kl}(q_T \,\|\, T / (n+1)), \quad q_t = P(\ell_U = 1 \mid T = t), \quad
        T = \textstyle\sum_i \ell_i

    Given L with t ones, U is one of them with chance q_t, each being as likely, and else one of the rest: its entropy is
    :math:`h(q_t) + q_t \ln t + (1 - q_t) \ln(n + 1 - t)`, which is taken from ln(n + 1). The frequencies in place of q_t make it
    too large, by :math:`E\,\mathrm{kl}(\hat q_t \| q_t)`; that is subtracted, with q_t the frequency after one more draw at the
    rate t / (n + 1). The result may be below 0.

    Args:
        wrong: Loss on the point left out, 0 or 1, ``[D]``.
        totals: T, ``[D]``.
        points: n + 1.

    Returns:
        Two numbers: plug-in and corrected.

    Example:
        Nothing that was seen is wrong, and half of what was not: R ln(n + 1).

        >>> plain, corrected = exchangeable_information([1, 1, 0, 0], [1, 1, 0, 0], 10)
        >>> print(f"{plain / np.log(10):.3f}")
        0.500
    """
    losses, sums = np.asarray(wrong, dtype=np.int64), np.asarray(totals, dtype=np.int64)
    plain = bias = 0.0
    for total in np.unique(sums):
        own = losses[sums == total]
        draws, rate = len(own), total / points
        plain += draws * float(binary_divergence(own.mean(), rate))
        smooth = (own.sum() + rate) / (draws + 1)
        k = np.arange(draws + 1)
        bias += draws * float((binom.pmf(k, draws, smooth) * binary_divergence(k / draws, smooth)).sum())
    return np.array([plain, plain - bias]) / len(losses)


def binary_divergence(first: ArrayLike, second: ArrayLike) -> Values:
    """``kl(q || p)`` of coins, in nats; 0 where ``second`` is 0 or 1, which leaves nothing to be told apart.

    Args:
        first: q in [0, 1].
        second: p in [0, 1].

    Returns:
        Their divergence.

    Example:
        >>> print(f"{binary_divergence(1.0, 0.5):.4f}")
        0.6931
    """
    q, p = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    inside = (p > 0) & (p < 1)
    safe = np.where(inside, p, 0.5)
    return np.where(inside, rel_entr(q, safe) + rel_entr(1 - q, 1 - safe), 0.0)


def pattern_entropy(patterns: Counts) -> float:
    """Entropy of rows, in nats: the information about what they are a function of, if that was enumerated.

    Args:
        patterns: ``[D, K]``.

    Returns:
        At most ln D.

    Example:
        >>> print(f"{pattern_entropy(np.array([[0, 0], [0, 0], [1, 0], [0, 1]])) / np.log(2):.1f}")
        1.5
    """
    shares = np.unique(patterns, axis=0, return_counts=True)[1] / len(patterns)
    return float(-xlogy(shares, shares).sum())
