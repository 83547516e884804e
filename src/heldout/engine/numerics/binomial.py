"""Inverses of the binomial tail (Clopper and Pearson), in the log domain, rounded outward.

With P = P[Bin(n, p) <= k] and S = P / P[Bin(n, p) = k], solved in t = -ln(1-p), where

    g(t) = ln P = ln P[Bin(n, p) = k] + ln S,   g'(t) = -(n-k)/S

S falls as p grows (each of its summands does), so g is concave and falling: Newton's iterates stay on the upper side
of the root. Nothing is exponentiated, so ln(delta) = -10^6 is as good as -3; an ordinary distribution function
underflows at e^-745 and then yields absurdly small bounds.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, gammaln

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.kl import divergence_at, log_ratio
from heldout.records import refuse

_EPS = float(np.finfo(np.float64).eps)
# We aim this far below ln(delta) and accept half of it around the aim. It covers the error of ln P: that of S and of
# the Stirling terms (absolute), and that of n kl (relative to t g', as a change of t by 64 units in the last place).
_ABSOLUTE, _RELATIVE = 8e-13, 256.0 * _EPS
_NEWTON_STEPS = 60
_FRACTION_TERMS = 20_000


def _stirling_error(m: Floats) -> Floats:
    """ln m! - ln(sqrt(2 pi m) (m/e)^m), by its asymptotic series from 16 on and directly below."""
    small = np.minimum(m, 16.0)
    direct = gammaln(small + 1.0) - (small + 0.5) * np.log(small) + small - 0.5 * np.log(2.0 * np.pi)
    square = 1.0 / (m * m)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / m
    return np.where(m < 16.0, direct, series)


def _tail_ratio(k: Floats, n: Floats, p: Floats, rest: Floats) -> Floats:
    """P[Bin <= k] / P[Bin = k] for p above k/n: p times the continued fraction of the incomplete beta integral.

    DLMF 8.17.22 with a = n-k, b = k+1, x = 1-p, by the modified Lentz recursion. Not a number where 20,000 terms do
    not settle it (k in the billions, p at the mean), which the caller answers with the kl-Chernoff bound.
    """
    a, b = n - k, k + 1.0
    result = np.full_like(p, np.nan)
    active = np.arange(p.size)
    a_, b_, x = a, b, rest
    lower = 1.0 / (1.0 - (a_ + b_) * x / (a_ + 1.0))
    upper, value = np.ones_like(x), lower.copy()
    for m in range(1, _FRACTION_TERMS):
        even = m * (b_ - m) * x / ((a_ + 2.0 * m - 1.0) * (a_ + 2.0 * m))
        lower, upper = 1.0 / (1.0 + even * lower), 1.0 + even / upper
        value = value * (lower * upper)
        odd = -(a_ + m) * (a_ + b_ + m) * x / ((a_ + 2.0 * m) * (a_ + 2.0 * m + 1.0))
        lower, upper = 1.0 / (1.0 + odd * lower), 1.0 + odd / upper
        change = lower * upper
        value = value * change
        settled = np.abs(change - 1.0) <= 4.0 * _EPS  # the rounding of one step
        if settled.any():
            result[active[settled]] = value[settled]
            keep = ~settled
            if not keep.any():
                break
            active, a_, b_, x = active[keep], a_[keep], b_[keep], x[keep]
            lower, upper, value = lower[keep], upper[keep], value[keep]
    return p * result


def _log_rest(k: Floats, n: Floats) -> Floats:
    """ln(1 - k/n) to full relative precision."""
    return np.where(2.0 * k < n, np.log1p(-k / n), np.log((n - k) / n))


def _log_complement(x: Floats) -> Floats:
    """ln(1 - e^x) for x <= 0 to full relative precision."""
    return np.where(x > -np.log(2.0), np.log(-np.expm1(x)), np.log1p(-np.exp(np.minimum(x, -0.5))))


def _log_mass(k: Floats, n: Floats, t: Floats) -> Floats:
    """ln P[Bin(n, p) = k] for 0 < k < n and p = 1 - e^-t at least k/n, in Loader's saddle-point form.

    Loader (2000), Fast and accurate computation of binomial probabilities, eq. (4): -n kl(k/n, p) and small terms.
    """
    q, rest = k / n, (n - k) / n
    divergence, _ = divergence_at(np.maximum(t + _log_rest(k, n), 0.0), q, rest)
    root = 0.5 * (np.log(n / k) - np.log(2.0 * np.pi * (n - k)))
    return root - n * divergence + _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)


def _log_cdf(k: Floats, n: Floats, t: Floats) -> tuple[Floats, Floats]:
    """ln P[Bin(n, p) <= k] for 0 < k < n - 1, with its derivative in t, where 1 - p = e^-t."""
    p, rest = -np.expm1(-t), np.exp(-t)
    value, slope = np.empty_like(t), np.empty_like(t)
    above = p * (n + 1.0) >= k + 1.0
    k_, n_ = k[above], n[above]
    ratio = _tail_ratio(k_, n_, p[above], rest[above])
    value[above] = _log_mass(k_, n_, t[above]) + np.log(ratio)
    slope[above] = -(n_ - k_) / ratio
    below = ~above  # the complement P[Bin >= k+1], counted in successes of probability 1-p, is the smaller tail
    k_, n_, p_, rest_ = k[below], n[below], p[below], rest[below]
    mass = np.exp(_log_mass(n_ - k_ - 1.0, n_, -np.log(p_)))
    survival = mass * _tail_ratio(n_ - k_ - 1.0, n_, rest_, p_)
    value[below] = np.log1p(-survival)
    slope[below] = -(k_ + 1.0) * (rest_ / p_) * mass / (1.0 - survival)
    return value, slope


def _solve(k: Floats, n: Floats, log_delta: Floats) -> Floats:
    """The t with g(t) = ln(delta), rounded up, for 0 < k < n - 1; the kl-Chernoff end where Newton does not settle."""
    rest = (n - k) / n
    chernoff = log_ratio(k / n, rest, -log_delta / n * (1.0 + 4.0 * _EPS)) - _log_rest(k, n)
    likely = np.maximum(log_delta, -1.0)  # above delta = 1/2 the kl-Chernoff end is far off; an approximate root is not
    near = -np.log1p(-betaincinv(k + 1.0, n - k, -np.expm1(likely)))
    t = np.where((log_delta > -np.log(2.0)) & (near > 0.0) & (near < chernoff), near, chernoff)
    active = np.flatnonzero(np.isfinite(t))
    for _ in range(_NEWTON_STEPS):
        here, goal = t[active], log_delta[active]
        value, slope = _log_cdf(k[active], n[active], here)
        slack = _ABSOLUTE * np.minimum(1.0, -goal) - _RELATIVE * here * slope
        excess = value - (goal - slack)
        missed = ~(np.abs(excess) <= 0.5 * slack)
        if not missed.any():
            return t
        active = active[missed]
        t[active] = np.clip(here[missed] - excess[missed] / slope[missed], 0.5 * here[missed], chernoff[active])
    t[active] = chernoff[active]
    return t


def _log_ratio(k: Floats, n: Floats, log_delta: Floats) -> Floats:
    """-ln(1-p) of the upper limit, rounded up, entry by entry of flat arrays."""
    t = np.full(k.shape, np.inf)  # k = n; delta = 0
    none = (k == 0.0) & (k < n)  # P = (1-p)^n
    t[none] = -log_delta[none] / n[none] * (1.0 + 4.0 * _EPS)
    all_but_one = (k == n - 1.0) & (k > 0.0) & (log_delta > -700.0)  # P = 1 - p^n; beyond, 1 - p is below e^-700
    log_p = _log_complement(log_delta[all_but_one]) / n[all_but_one]
    t[all_but_one] = -_log_complement(log_p * (1.0 - 8.0 * _EPS)) * (1.0 + 8.0 * _EPS)
    between = (k > 0.0) & (k < n - 1.0) & np.isfinite(log_delta)
    if between.any():
        t[between] = _solve(k[between], n[between], log_delta[between])
    return t


def binomial_inverse_upper(errors: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    """The Clopper-Pearson upper limit sup{p: P[Bin(n, p) <= k] >= delta}, rounded up.

    Clopper and Pearson (1934), The use of confidence or fiducial limits, Biometrika 26; as a test-set bound in
    Langford (2005), JMLR 6, Theorem 3.3. Exact for losses of 0 and 1 on independent examples: within 1e-12 above
    the true value for every delta whose logarithm is a number. It cannot see dependence between the examples.
    Refused: n below 1, errors that are no whole number in [0, n], a log_delta of 0 or more.

    Args:
        errors: The number of errors k.
        n: The number of examples.
        log_delta: Natural logarithm of the failure probability; minus infinity gives 1.

    Returns:
        float64 of the broadcast shape, in [k/n, 1] for delta up to 1/2.

    Example:
        One error in two examples: P[Bin(2, p) <= 1] = 1 - p^2 = 3/4 at p = 1/2.

        >>> print(f"{binomial_inverse_upper(1, 2, np.log(0.75)):.6f}")
        0.500000
    """
    k, size, log_d = domain.broadcast(errors, n, log_delta)
    refuse(domain.sizes(size) + domain.counts(k, size) + domain.log_probabilities(log_d))
    t = _log_ratio(k.ravel(), size.ravel(), log_d.ravel())
    upper = np.nextafter(-np.expm1(-t) * (1.0 + 4.0 * _EPS), 2.0)
    return np.minimum(upper, 1.0).reshape(k.shape)[()]


def binomial_inverse_lower(errors: ArrayLike, n: ArrayLike, log_delta: ArrayLike) -> Floats:
    """The Clopper-Pearson lower limit inf{p: P[Bin(n, p) >= k] >= delta}, rounded down.

    The mirror image of `binomial_inverse_upper`: errors become successes. Source and blindness as there.
    Refused: n below 1, errors that are no whole number in [0, n], a log_delta of 0 or more.

    Args:
        errors: The number of errors k.
        n: The number of examples.
        log_delta: Natural logarithm of the failure probability; minus infinity gives 0.

    Returns:
        float64 of the broadcast shape, in [0, k/n] for delta up to 1/2.

    Example:
        >>> print(f"{binomial_inverse_lower(2, 2, np.log(0.25)):.6f}")  # p^2 = 1/4
        0.500000
    """
    k, size, log_d = domain.broadcast(errors, n, log_delta)
    refuse(domain.sizes(size) + domain.counts(k, size) + domain.log_probabilities(log_d))
    t = _log_ratio((size - k).ravel(), size.ravel(), log_d.ravel())
    lower = np.nextafter(np.exp(-t) * (1.0 - 4.0 * _EPS), -1.0)
    return np.maximum(lower, 0.0).reshape(k.shape)[()]
