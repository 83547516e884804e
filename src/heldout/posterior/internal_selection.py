"""Internal model selection: which of several solutions the posterior prefers as the data grow."""

from typing import NamedTuple

import numpy as np
from scipy.special import lambertw, logsumexp

from heldout.engine.sampling.convergence import Floats


class Critical(NamedTuple):
    """Where two solutions swap.

    Attributes:
        size: n_c; NaN where they never do.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    size: float
    low: float
    high: float


class Selection(NamedTuple):
    """Free energies of S solutions at T sizes of the data.

    Attributes:
        sizes: n, ``[T]``.
        free_energies: ``[S, T]``, nats.
        errors: Of the free energies at these losses, ``[S, T]``.
        shares: Share of the posterior mass of all S, ``[S, T]``.
        winners: Which has most, ``[T]``.
    """

    sizes: Floats
    free_energies: Floats
    errors: Floats
    shares: Floats
    winners: np.ndarray


def internal_selection(
    losses: Floats,
    coefficients: Floats,
    sizes: Floats,
    *,
    coefficient_errors: Floats | None = None,
    multiplicities: Floats | None = None,
) -> Selection:
    r"""Free energy of every solution's neighbourhood as the data grow, and who wins.

    .. math:: F_s(n) = n L_s + \lambda_s \ln n - (m_s - 1) \ln \ln n

    (Watanabe 2009, chapter 7.6.) The posterior gives a neighbourhood mass in proportion to :math:`e^{-F}`. Terms that stay
    bounded as n grows are left out, and with them the density of the prior and how many copies of a solution symmetries make.

    Args:
        losses: L of every solution, as it would be on many examples, ``[S]``.
        coefficients: Learning coefficients, ``[S]``.
        sizes: n, above e, ``[T]``.
        coefficient_errors: Standard errors; none unless given.
        multiplicities: 1 unless given.

    Returns:
        The free energies.

    Example:
        >>> simple, complex_ = (0.11, 5.0), (0.10, 15.0)
        >>> found = internal_selection(*np.array([simple, complex_]).T, np.array([9000.0, 9200.0]))
        >>> found.winners.tolist()
        [0, 1]
    """
    many = np.ones_like(coefficients) if multiplicities is None else multiplicities
    spread = np.zeros_like(coefficients) if coefficient_errors is None else coefficient_errors
    logs = np.log(sizes)
    energies = (
        np.multiply.outer(losses, sizes)
        + np.multiply.outer(coefficients, logs)
        - np.multiply.outer(many - 1, np.log(logs))
    )
    shares = np.exp(-energies - logsumexp(-energies, axis=0))
    return Selection(np.asarray(sizes), energies, np.multiply.outer(spread, logs), shares, energies.argmin(0))


def critical_size(
    loss_gap: float, coefficient_gap: float, *, loss_error: float = 0.0, coefficient_error: float = 0.0
) -> Critical:
    r"""The number of examples at which the posterior passes from a simple solution to one that fits better.

    .. math:: \frac{n_c}{\ln n_c} = \frac{\lambda_B - \lambda_A}{L_A - L_B}

    (Watanabe 2009; Chen et al. 2023, section 3.) The ratio must exceed e, the smallest value of n / ln n: below it the better
    fit wins at every n. The interval is of first order in the errors of both gaps.

    Args:
        loss_gap: L_A - L_B, by how much B fits better.
        coefficient_gap: lambda_B - lambda_A, by how much it is more complex.
        loss_error: Standard error of the first.
        coefficient_error: Standard error of the second.

    Returns:
        n_c with its interval, all NaN where one of the two is better in both, or B is better at every n.

    Example:
        >>> round(critical_size(0.01, 10.0).size)
        9118
    """
    none = Critical(float("nan"), float("nan"), float("nan"))
    if not (loss_gap > 0 and coefficient_gap > 0):
        return none
    ratio = coefficient_gap / loss_gap
    if not ratio > np.e:
        return none
    logarithm = float(-lambertw(-1 / ratio, -1).real)
    relative = np.hypot(loss_error / loss_gap, coefficient_error / coefficient_gap)
    half = 1.96 * relative / (1 - 1 / logarithm)
    return Critical(*(float(np.exp(logarithm + shift)) for shift in (0.0, -half, half)))
