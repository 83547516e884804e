"""How well chains know a mean: a standard error that no lucky estimate makes small, and the interval that follows from it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from heldout.engine.sampling.convergence import Floats, correlation_time, monte_carlo_error, split


class Uncertainty(NamedTuple):
    """A standard error, and how well it is known itself.

    Attributes:
        error: Standard error of the mean.
        freedom: Degrees of freedom of its square; infinite where nothing varies.
    """

    error: float
    freedom: float

    def half_width(self, level: float = 0.95) -> float:
        """Half of the interval with this coverage, by Student's quantile.

        Args:
            level: Of coverage.

        Returns:
            Half its width.

        Example:
            >>> round(Uncertainty(1.0, 7.0).half_width(0.9), 3)
            1.895
        """
        return self.error * float(student.ppf(0.5 + 0.5 * level, self.freedom))


def uncertainty(series: Floats) -> Uncertainty:
    r"""Standard error of the mean over all draws, for deciding when to stop and for intervals.

    It is the larger of two estimates, that from the correlations within the chains and that from the spread of the chains' means:

    .. math:: s = \max\left(\sqrt{\widehat{\mathrm{var}}(x) / S_{\mathrm{eff}}},\; \sqrt{\mathrm{var}(\bar x_k) / K}\right)

    Sampling ends once the error is small, and so prefers errors that came out too small; both do at once far less often than
    one. Its degrees of freedom are those of a spectral estimate whose window ends at lag m (Priestley 1981, chapter 6), with the
    noise of the variance as it was seen, which for skewed losses exceeds that of Gaussian ones:

    .. math:: \nu = \frac{2}{\left(\mathrm{MCSE}[(x - \bar x)^2] / \widehat{\mathrm{var}}(x)\right)^2 + 4 m / S}

    Args:
        series: ``[K, D]``.

    Returns:
        The error and its degrees of freedom.

    Example:
        >>> found = uncertainty(np.random.default_rng(0).normal(size=(8, 200)))
        >>> round(found.error, 3), 100 < found.freedom < 1600
        (0.026, True)
    """
    if series.shape[1] < 8 or np.ptp(series) == 0:
        return Uncertainty(monte_carlo_error(series) if series.size > 1 else np.nan, float(np.inf))
    error, chains = monte_carlo_error(series), len(series)
    if chains > 1:
        error = max(error, float(series.mean(axis=1).std(ddof=1)) / chains**0.5)
    last = correlation_time(split(series))[1]
    noise = monte_carlo_error(np.square(series - series.mean())) / series.var(ddof=1)
    return Uncertainty(error, max(1.0, 2 / float(noise**2 + 4 * last / series.size)))


def together(series: Sequence[Floats]) -> Uncertainty:
    """The uncertainty of a sum of means over draws of several temperatures, whose chains share their random numbers.

    Draw by draw the sum is a series of its own, which holds what the temperatures have in common. Where they have unlike numbers of
    draws or chains the errors add up as they are, as if all had everything in common.

    Args:
        series: ``[K, D]`` of every temperature.

    Returns:
        Of their sum.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(8, 1000))
        >>> round(together([x, x]).error / uncertainty(x).error, 3), together([x, -x]).error
        (2.0, 0.0)
    """
    if len({each.shape for each in series}) == 1:
        return uncertainty(np.sum(series, axis=0))
    parts = [uncertainty(each) for each in series]
    return Uncertainty(sum(part.error for part in parts), min(part.freedom for part in parts))
