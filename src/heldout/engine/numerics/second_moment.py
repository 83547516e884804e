"""Upper confidence bounds that use how losses spread: unexpected Bernstein, and kl of the two sides of a middle."""

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.kl import kl_inverse_lower, kl_inverse_upper
from heldout.records import Refusal, refuse

_UP = 1.0 + 64.0 * float(np.finfo(np.float64).eps)  # covers the roundings of the terms below


def unexpected_bernstein_upper(losses: ArrayLike, log_delta: float) -> Floats:
    r"""The unexpected Bernstein bound on the mean of losses in [0, 1] over a grid that is paid for, rounded up.

    .. math:: \min_{\gamma} \; \hat R + \frac{-\gamma - \ln(1 - \gamma)}{\gamma} \frac{1}{n} \sum_i \ell_i^2
       + \frac{\ln(k / \delta)}{\gamma n}, \quad \gamma = 2^{-1}, \ldots, 2^{-k}, \quad
       k = \left\lceil \log_2 \tfrac12 \sqrt{n / \ln(1/\delta)} \right\rceil

    Mhammedi et al. (2019); the grid of Wu and Seldin (2022), Split-kl and PAC-Bayes-split-kl. k depends on n and delta alone.
    Refused: losses outside [0, 1], a log_delta of 0 or more.

    Args:
        losses: ``[..., N]``.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        ``[...]``, in [mean, 1].

    Example:
        Without any loss the second moment vanishes: ln(k / delta) / (n / 2).

        >>> print(f"{unexpected_bernstein_upper(np.zeros(100), -1.0):.4f}")  # k = 3, and ln 3 + 1 over 50
        0.0420
    """
    values = _losses(losses, log_delta)
    n, nats = values.shape[-1], -log_delta
    steps = max(1, int(np.ceil(np.log2(0.5 * np.sqrt(n / nats)))))
    gammas = 2.0 ** -np.arange(1, steps + 1)
    weights = (-gammas - np.log1p(-gammas)) / gammas
    second = np.square(values).mean(-1)[..., None]
    radii = (weights * second + (nats + np.log(steps)) / (gammas * n)) * _UP
    return np.minimum(np.nextafter(values.mean(-1) + radii.min(-1), np.inf), 1.0)[()]


def split_kl_upper(losses: ArrayLike, log_delta: float, *, middle: float = 0.5) -> Floats:
    r"""The split-kl bound on the mean of losses in [0, 1], rounded up.

    .. math:: \mu + (1 - \mu) \, \mathrm{kl}^{-1}_+\!\left(\tfrac{\hat p_+}{1 - \mu}, \tfrac{\ln(2/\delta)}{n}\right)
       - \mu \, \mathrm{kl}^{-1}_-\!\left(\tfrac{\hat p_-}{\mu}, \tfrac{\ln(2/\delta)}{n}\right)

    with the means of what lies above and below the middle. Wu and Seldin (2022), Theorem 7 in its one-sample form. Best where
    losses take few values, one of them the middle. The middle must not depend on the losses.
    Refused: losses outside [0, 1], a middle outside (0, 1), a log_delta of 0 or more.

    Args:
        losses: ``[..., N]``.
        log_delta: Natural logarithm of the failure probability.
        middle: mu.

    Returns:
        ``[...]``, in [mean, 1].

    Example:
        >>> print(f"{split_kl_upper(np.full(1000, 0.5), np.log(0.05)):.4f}")  # all in the middle: only the two slacks are paid
        0.5018

    Raises:
        Refusal: As said above.
    """
    values = _losses(losses, log_delta)
    if not 0 < middle < 1:
        raise Refusal(
            given=f"middle was {middle:g}", expected="a number strictly between 0 and 1", do="pass middle=0.5"
        )
    budget = (np.log(2.0) - log_delta) / values.shape[-1]
    above, below = np.maximum(values - middle, 0).mean(-1), np.maximum(middle - values, 0).mean(-1)
    # a mean of n roundings may lie a hair outside the share it stands for
    high = kl_inverse_upper(np.minimum(above / (1 - middle), 1.0), budget)
    low = kl_inverse_lower(np.minimum(below / middle, 1.0), budget)
    value = middle + (1 - middle) * high - middle * low
    return np.clip(np.nextafter(value + 8 * np.finfo(np.float64).eps, np.inf), values.mean(-1), 1.0)[()]


def _losses(losses: ArrayLike, log_delta: float) -> Floats:
    values = np.asarray(losses, dtype=np.float64)
    refuse(domain.proportions("losses", values) + domain.log_probabilities(np.asarray(log_delta, dtype=np.float64)))
    if not values.shape or values.shape[-1] == 0:
        raise Refusal(given="there were no losses", expected="at least one", do="pass losses of shape [..., N]")
    return values
