"""Closed-form upper confidence bounds on the mean of losses in [0, 1], rounded outward."""

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.kl import kl_inverse_upper
from heldout.records import Refusal, refuse

_UP = 1.0 + 16.0 * float(np.finfo(np.float64).eps)  # covers the handful of roundings in each radius below


def _raised(mean: Floats, radius: Floats) -> Floats:
    """The sum of mean and radius, rounded up and clipped to 1, above which no mean of losses in [0, 1] can lie."""
    return np.minimum(np.nextafter(mean + radius * _UP, np.inf), 1.0)[()]


def hoeffding_upper(mean: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    """Hoeffding's upper bound on the true mean, mean + sqrt(ln(1/delta) / (2n)), rounded up and clipped to 1.

    Hoeffding (1963), Probability inequalities for sums of bounded random variables, JASA 58, Theorem 2.
    It cannot see the variance: `kl_chernoff_upper` is never above it.
    Refused: means outside [0, 1], n below 1, a log_delta of 0 or more.

    Args:
        mean: The mean of n independent losses in [0, 1].
        n: The number of losses.
        log_delta: Natural logarithm of the failure probability; minus infinity gives 1.

    Returns:
        float64 of the broadcast shape, in [mean, 1].

    Example:
        >>> print(f"{hoeffding_upper(0.25, 200, -1.0):.6f}")  # 1/4 + sqrt(1/400)
        0.300000
    """
    average, size, log_d = domain.broadcast(mean, n, log_delta)
    refuse(domain.proportions("mean", average) + domain.sizes(size) + domain.log_probabilities(log_d))
    return _raised(average, np.sqrt(-log_d / (2.0 * size)))


def empirical_bernstein_upper(mean: ArrayLike, variance: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    """Maurer and Pontil's upper bound, mean + sqrt(2 V ln(2/delta) / n) + 7 ln(2/delta) / (3(n-1)), rounded up.

    Maurer and Pontil (2009), Empirical Bernstein bounds and sample variance penalization, Theorem 4. Clipped to 1.
    It cannot see more than two moments; for losses of 0 and 1 the binomial inverse is always tighter.
    Refused: means outside [0, 1], variances that losses in [0, 1] cannot have, n below 1, a log_delta of 0 or more.

    Args:
        mean: The mean of n independent losses in [0, 1].
        variance: Their unbiased sample variance V (divided by n-1).
        n: The number of losses; one loss alone gives 1.
        log_delta: Natural logarithm of the failure probability; minus infinity gives 1.

    Returns:
        float64 of the broadcast shape, in [mean, 1].

    Example:
        >>> print(f"{empirical_bernstein_upper(0.0, 0.0, 8, np.log(2 / np.e)):.6f}")  # 7 / (3 * 7)
        0.333333

    Raises:
        Refusal: If the variance is not one that losses in [0, 1] can have, or as said above.
    """
    average, spread, size, log_d = domain.broadcast(mean, variance, n, log_delta)
    faults = domain.proportions("mean", average) + domain.sizes(size) + domain.log_probabilities(log_d)
    refuse(faults)
    degrees = np.maximum(size - 1.0, 1.0)
    # n mean (1 - mean) / (n - 1) is reached when every loss is 0 or 1; the allowance is for the caller's rounding.
    possible = (spread >= 0) & (spread <= 0.25 * size / degrees * (1.0 + 1e-9))
    if not possible.all():
        raise Refusal(
            given=f"variance was {spread[~possible].flat[0]:g}",
            expected="the unbiased variance of losses in [0, 1], at most n / (4(n-1))",
            do="pass losses.var(ddof=1)",
        )
    log_term = np.minimum(np.log(2.0) - log_d, 1e300)  # finite, for a variance of 0 times it
    radius = np.sqrt(2.0 * spread * log_term / size) + 7.0 * log_term / (3.0 * degrees)
    return _raised(average, np.where(size == 1.0, 1.0, radius))


def kl_chernoff_upper(mean: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    """The Chernoff bound in its kl form, sup{p: kl(mean, p) <= ln(1/delta) / n}, rounded up.

    Langford (2005), JMLR 6, relative entropy test set bound; by convexity for every loss in [0, 1] (Hoeffding 1963).
    No two-sided or sqrt(n) factor. It cannot see that a loss varies less than a coin of the same mean.
    Refused: means outside [0, 1], n below 1, a log_delta of 0 or more.

    Args:
        mean: The mean of n independent losses in [0, 1].
        n: The number of losses.
        log_delta: Natural logarithm of the failure probability; minus infinity gives 1.

    Returns:
        float64 of the broadcast shape, in [mean, 1].

    Example:
        >>> print(f"{kl_chernoff_upper(0.0, 100, np.log(0.05)):.6f}")  # 1 - 0.05**(1/100)
        0.029513
    """
    average, size, log_d = domain.broadcast(mean, n, log_delta)
    refuse(domain.proportions("mean", average) + domain.sizes(size) + domain.log_probabilities(log_d))
    return kl_inverse_upper(average, np.nextafter(-log_d / size, np.inf))
