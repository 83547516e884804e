"""The lower tail of losses of random hypotheses, from the chi-square law with their mean and variance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc, gammaln, hyp1f1

from heldout.records import Refusal

UNDERFLOW = 1e-290  # below this the incomplete gamma function is taken from its series
FEWEST = 4


class FittedTail(NamedTuple):
    """What the fitted law says of losses that small.

    Attributes:
        nats: Minus the logarithm of their probability.
        standard_error: By the jackknife over hypotheses: of the fit, not of the law that was chosen.
        seen: ``ln D``: what the sample itself reaches to; the rest of the nats is extrapolated.
        degrees: Degrees of freedom of the chi-square law.
    """

    nats: float
    standard_error: float
    seen: float
    degrees: float


def fitted_tail(losses: ArrayLike, target: float) -> FittedTail:
    r"""Nats that it takes to pick a hypothesis as good as the target, from a sample of them.

    .. math:: I = -\ln P(\chi^2_\nu \le t \nu / \mu), \quad \nu = 2 \mu^2 / \sigma^2

    A mean of squared Gaussian errors is a weighted sum of chi-squares; the scaled chi-square law with the same mean and variance is
    Satterthwaite's. Boopathy et al. 2024 fit a non-central one, whose third parameter a sample hardly determines.

    Args:
        losses: Of D hypotheses, none negative.
        target: t, positive.

    Returns:
        The nats with their standard error.

    Raises:
        Refusal: If there are fewer than four losses, one is negative, all are equal, or the target is not positive.

    Example:
        Mean 1 and variance 1 is an exponential variable, whose median is ln 2.

        >>> spread = 0.75**0.5
        >>> tail = fitted_tail([1 - spread, 1 - spread, 1 + spread, 1 + spread], np.log(2))
        >>> round(float(tail.nats / np.log(2)), 12)
        1.0
    """
    values = np.asarray(losses, dtype=np.float64).reshape(-1)
    if len(values) < FEWEST or not (values >= 0).all() or np.ptp(values) == 0:
        raise Refusal(
            given=f"losses were {len(values)} numbers from {values.min(initial=np.inf):g} to "
            f"{values.max(initial=-np.inf):g}",
            expected=f"at least {FEWEST} that differ, none of them negative",
            do="train more networks from other initial weights",
        )
    if not target > 0:
        raise Refusal(given=f"target was {target!r}", expected="a positive loss", do="pass the loss that is asked for")
    count = len(values)
    others = (values.sum() - values) / (count - 1)
    squares = (np.square(values).sum() - np.square(values)) / (count - 1)
    variances = np.maximum(squares - others**2, 1e-300) * (count - 1) / (count - 2)
    without = -np.array([_log_cdf(mean, v, target) for mean, v in zip(others, variances, strict=True)])
    mean, variance = values.mean(), values.var(ddof=1)
    error = np.sqrt((count - 1) / count * np.square(without - without.mean()).sum())
    return FittedTail(-_log_cdf(mean, variance, target), float(error), float(np.log(count)), 2 * mean**2 / variance)


def _log_cdf(mean: float, variance: float, target: float) -> float:
    return float(log_gamma_cdf(mean**2 / variance, target * mean / variance))


def log_gamma_cdf(shape: float, x: float) -> float:
    r"""Logarithm of the regularised lower incomplete gamma function, beyond where the function itself underflows.

    .. math:: P(a, x) = \frac{x^a e^{-x}}{\Gamma(a + 1)} \, {}_1F_1(1; a + 1; x)

    Args:
        shape: a.
        x: Positive.

    Returns:
        The logarithm.

    Example:
        ``P(1, x) = 1 - e^-x``.

        >>> round(float(log_gamma_cdf(1.0, np.log(2.0)) / np.log(0.5)), 12)
        1.0
    """
    plain = float(gammainc(shape, x))
    if plain > UNDERFLOW:
        return float(np.log(plain))
    return float(shape * np.log(x) - x - gammaln(shape + 1) + np.log(hyp1f1(1.0, shape + 1, x)))
