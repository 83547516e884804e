"""The risk that a preferent compression to k of n examples leaves, in the log domain, rounded up.

With t = -ln(1 - epsilon) the equation reads f(t) = 0, where

    f(t) = ln(delta / n) + ln sum_{m=k}^{n-1} exp( ln[C(m, k) / C(n, k)] + (n - m) t )

is convex and rising, so that Newton's iterates from above stay above the root and nothing is exponentiated that could overflow.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from heldout.engine.numerics import domain
from heldout.engine.numerics.binomial import binomial_inverse_upper
from heldout.engine.numerics.domain import Floats
from heldout.records import Refusal, refuse

_EPS = float(np.finfo(np.float64).eps)
_LONG = float(np.finfo(np.longdouble).eps)
_NEWTON_STEPS = 200


def _exponent(k: int, n: int, log_delta: float) -> float:
    """The root t, rounded up, for 0 <= k < n."""
    beyond = np.arange(1.0, n - k + 1.0)  # n - m, from 1
    # ln[C(m, k) / C(n, k)] telescopes over log1p(-k / (m + 1)): no difference of large logarithms of factorials
    ratios = np.cumsum(np.log1p(-k / (np.longdouble(n) - np.arange(n - k)))).astype(np.float64)
    ratios += log_delta - np.log(n)

    def value_and_slope(t: float) -> tuple[float, float]:
        terms = ratios + beyond * t
        value = float(logsumexp(terms))
        return value, float(np.exp(terms - value) @ beyond)

    t = max(float((-ratios / beyond).min()), 0.0)  # where the largest term alone is 1: above the root
    for _ in range(_NEWTON_STEPS):
        value, slope = value_and_slope(t)
        scale = abs(log_delta) + np.log(n) + abs(float(ratios[-1])) + slope * t
        slack = 8.0 * _EPS * (scale + 1.0) + n * _LONG * abs(float(ratios[-1]))  # what rounding can do to f
        if value <= 2.0 * slack:
            return t + (2.0 * slack + max(-value, 0.0)) / slope
        t -= (value - slack) / slope
    return t


def pick_to_learn_upper(kept: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    r"""The largest risk of a predictor that k of n examples determine by a preferent compression, rounded up.

    .. math:: \frac{\delta}{n} \sum_{m=k}^{n-1} \binom{m}{k} \binom{n}{k}^{-1} (1 - \varepsilon)^{-(n-m)} = 1,
        \quad \varepsilon \in [k/n, 1]

    Campi and Garatti (2023), Compression, generalization and learning, JMLR 24, Theorem 7; Paccagnan, Campi and Garatti (2023),
    The Pick-to-Learn algorithm, Theorem 4.2. Preferent: between the kept examples and all of them, every set compresses to the same.
    The function cannot see whether the compression is. Refused: n below 1, k that is no whole number in [0, n], a log_delta of 0 or
    more, or minus infinity.

    Args:
        kept: The number of examples k that the predictor is rebuilt from; those that it still gets wrong included.
        n: The number of examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        float64 of the broadcast shape, in [k/n, 1]; 1 where all examples are kept.

    Example:
        >>> print(f"{pick_to_learn_upper(20, 1000, np.log(0.05)):.4f}")
        0.0355
    """
    k, size, log_d = domain.broadcast(kept, n, log_delta)
    refuse(domain.sizes(size) + domain.counts(k, size) + domain.log_probabilities(log_d))
    if not np.isfinite(log_d).all():
        refuse([Refusal(given="log_delta was -inf", expected="a finite number below 0", do="pass ln(0.05)")])
    risks = np.ones(k.shape)
    for place in np.ndindex(k.shape):
        if k[place] < size[place]:
            t = _exponent(int(k[place]), int(size[place]), float(log_d[place]))
            risks[place] = min(1.0, float(np.nextafter(-np.expm1(-t) * (1.0 + 4.0 * _EPS), 2.0)))
    return np.asarray(risks)[()]


def sample_compression_upper(kept: ArrayLike, errors: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    r"""The largest risk of a predictor that any k of n examples determine, from its errors on the others, rounded up.

    .. math:: \mathrm{Bin}^{-1}\Big(e, n - k, \delta \frac{6}{\pi^2 (k + 1)^2} \binom{n}{k}^{-1}\Big)

    Laviolette, Marchand and Shah (2005); Bazinet et al. (2025). Holds for all k and all choices of examples at once. Refused: as in
    :func:`pick_to_learn_upper`; errors that are no whole number in [0, n - k].

    Args:
        kept: The number of examples k that the predictor is rebuilt from.
        errors: On the n - k others.
        n: The number of examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        float64 of the broadcast shape; 1 where all examples are kept.

    Example:
        >>> print(f"{sample_compression_upper(300, 0, 60000, np.log(0.05)):.4f}")
        0.0313
    """
    k, wrong, size, log_d = domain.broadcast(kept, errors, n, log_delta)
    refuse(domain.sizes(size) + domain.counts(k, size) + domain.log_probabilities(log_d))
    price = np.log(6 / np.pi**2) - 2 * np.log1p(k) - _log_choices(size, k)
    rest = np.maximum(size - k, 1.0)
    found = binomial_inverse_upper(np.where(k < size, wrong, 0.0), rest, log_d + price)
    return np.asarray(np.where(k < size, found, 1.0))[()]


def _log_choices(n: Floats, k: Floats) -> Floats:
    """The logarithm of C(n, k), rounded up by what its three terms can be off."""
    largest = gammaln(n + 1)
    return np.asarray(largest - gammaln(k + 1) - gammaln(n - k + 1) + 16.0 * _EPS * largest)
