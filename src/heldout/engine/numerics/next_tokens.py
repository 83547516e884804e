"""Upper bounds on the mean of conditional expectations of bounded losses: for tokens, each of which depends on those before it."""

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.records import refuse

#: Rates of the exponential, one of which is chosen after looking at the data at the price of ln 32.
RATES = 2.0 ** ((np.arange(32) - 14) / 2)


def azuma_upper(mean: ArrayLike, steps: ArrayLike, log_delta: ArrayLike) -> Floats:
    r"""Mean loss plus :math:`\sqrt{\ln(1/\delta) / (2T)}`, for losses in [0, 1] that may depend on the past.

    Hoeffding 1963 and Azuma 1967. Given the past, a loss minus its expectation lies in an interval of length 1 and has expectation 0,
    so by Hoeffding's lemma its exponential at rate t has at most the expectation exp(t^2/8); the product over T steps is a
    supermartingale, and t = 4 times the deviation gives exp(-2 T deviation^2).

    Args:
        mean: Of the losses.
        steps: T, fixed beforehand.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Of the broadcast shape, at most 1, rounded up.

    Example:
        >>> print(f"{azuma_upper(0.25, 200, -1.0):.3f}")
        0.300
    """
    average, size, log_d = _checked(mean, steps, log_delta)
    return np.minimum((average + np.sqrt(-log_d / (2.0 * size))) * (1 + 1e-14), 1.0)


def chernoff_upper(mean: ArrayLike, steps: ArrayLike, log_delta: ArrayLike) -> Floats:
    r"""The same by Chernoff's exponential at the best of 32 rates, chosen at a price: close to inverting a relative entropy.

    .. math:: \bar p \le \frac{1 - \exp(-\lambda \bar \ell - \ln(32/\delta) / T)}{1 - e^{-\lambda}}

    By convexity :math:`E[e^{-\lambda \ell_k} | \mathrm{past}] \le 1 - p_k u` with :math:`u = 1 - e^{-\lambda}`, so
    :math:`\exp(-\lambda \sum \ell_k - \sum \ln(1 - p_k u))` has expectation at most 1; Markov, then Jensen on the concave
    :math:`\ln(1 - p u)`. The expectations :math:`p_k` are random, so the rate may not follow their mean: it comes from a grid.

    Args:
        mean: Of the losses, in [0, 1].
        steps: T, fixed beforehand.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Of the broadcast shape, at most 1, rounded up.

    Example:
        >>> bool(chernoff_upper(0.05, 1000, -20.0) < azuma_upper(0.05, 1000, -20.0))
        True
    """
    average, size, log_d = (part[..., None] for part in _checked(mean, steps, log_delta))
    price = (np.log(len(RATES)) - log_d) / size
    each = -np.expm1(-RATES * average - price) / -np.expm1(-RATES)
    return np.minimum(each.min(-1) * (1 + 1e-13), 1.0)


def _checked(mean: ArrayLike, steps: ArrayLike, log_delta: ArrayLike) -> tuple[Floats, Floats, Floats]:
    average, size, log_d = domain.broadcast(mean, steps, log_delta)
    refuse(domain.proportions("mean", average) + domain.sizes(size) + domain.log_probabilities(log_d))
    return average, size, log_d
