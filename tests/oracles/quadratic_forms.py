"""The law of ``K = 1/2 sum h_i w_i^2`` under a standard normal, by inversion of its characteristic function (Imhof 1961)."""

import numpy as np
from scipy.optimize import minimize_scalar


def probability_below(precisions: tuple[float, ...], level: float) -> float:
    """``P(K <= level)``, by a contour moved to the saddle so that small probabilities keep their digits."""
    h = np.array(precisions)

    def exponent(s: float) -> float:
        return s * level - 0.5 * np.log1p(s * h).sum() - np.log(s)

    s = float(np.exp(minimize_scalar(lambda u: exponent(np.exp(u)), bounds=(-8, 14), method="bounded").x))

    u = np.arange(
        0.0, 1000.0, 0.02
    )  # the trapezoidal rule: the integrand is analytic and its phase turns once in two or three
    z = s * (1 + 1j * u)
    logs = z * level - 0.5 * sum(np.log(1 + z * each) for each in precisions) - np.log(z) - exponent(s)
    return float(np.exp(exponent(s)) * s * np.trapezoid(np.real(np.exp(logs)), dx=0.02) / np.pi)


def chernoff(precisions: tuple[float, ...], level: float, largest: float) -> float:
    """``min_t [t e + ln Z(t)]`` over t up to the largest."""
    h, t = np.array(precisions), np.geomspace(1e-6, largest, 2001)
    return float((t * level - 0.5 * np.log1p(np.multiply.outer(t, h)).sum(1)).min())


def regret_bound(precisions: tuple[float, ...], n: float) -> float:
    """``min_e [n e - ln P(K <= e)]``."""
    found = minimize_scalar(
        lambda u: n * np.exp(u) - np.log(probability_below(precisions, float(np.exp(u)))),
        bounds=(np.log(0.01 / n), np.log(50 / n)), method="bounded",
    )  # fmt: skip
    return float(found.fun)
