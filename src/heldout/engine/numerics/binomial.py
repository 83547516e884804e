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
_TERMS, _TERMS_AT_ONCE = 100_000, 64
_BLOCK = 1 << 12  # entries solved together, so that 64 terms of each stay in cache


def _stirling_error(m: Floats) -> Floats:
    """The series remainder ln m! - ln(sqrt(2 pi m) (m/e)^m), by its asymptotic series from 16 on and directly below."""
    small = np.minimum(m, 16.0)
    direct = gammaln(small + 1.0) - (small + 0.5) * np.log(small) + small - 0.5 * np.log(2.0 * np.pi)
    square = 1.0 / (m * m)
    series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / m
    return np.where(m < 16.0, direct, series)


def _tail_ratio(k: Floats, n: Floats, p: Floats, rest: Floats) -> Floats:
    """The ratio S = P[Bin <= k] / P[Bin = k] for p above k/n, its positive terms summed from k downwards.

    S = 1 + sum_{j>=1} prod_{i<j} (k-i)(1-p) / ((n-k+1+i) p). About 8 sqrt(k) terms matter, fewer in a far tail; the
    sum keeps its digits at p near 0, where the continued fraction of the incomplete beta integral loses them.

    Returns:
        S; not a number where 100,000 terms do not settle it (k above 10^8 or so, p at the mean).
    """
    result = np.full_like(p, np.nan)
    active = np.arange(p.size)
    first, second, odds = k[:, None], n[:, None] - k[:, None] + 1.0, (rest / p)[:, None]
    total, last = np.ones_like(p), np.ones_like(p)
    for start in range(0, _TERMS, _TERMS_AT_ONCE):
        step = np.arange(start, start + _TERMS_AT_ONCE)
        factors = np.maximum(first - step, 0.0) / (second + step) * odds
        terms = last[:, None] * np.cumprod(factors, axis=-1)
        total, last = total + terms.sum(axis=-1), terms[:, -1]
        # the factors fall, so what is left out is below last r/(1-r) with the newest factor r
        left_out = last * factors[:, -1] / np.maximum(1.0 - factors[:, -1], _EPS)
        settled = left_out <= 0.25 * _EPS * total
        result[active[settled]] = total[settled]
        keep = ~settled
        if not keep.any():
            break
        active, first, second, odds = active[keep], first[keep], second[keep], odds[keep]
        total, last = total[keep], last[keep]
    return result


def _log_rest(k: Floats, n: Floats) -> Floats:
    """Logarithm ln(1 - k/n) to full relative precision."""
    return np.where(2.0 * k < n, np.log1p(-k / n), np.log((n - k) / n))


def _log_complement(x: Floats) -> Floats:
    """Logarithm ln(1 - e^x) for x <= 0 to full relative precision."""
    return np.where(x > -np.log(2.0), np.log(-np.expm1(x)), np.log1p(-np.exp(np.minimum(x, -0.5))))


def _log_mass(k: Floats, n: Floats, t: Floats) -> Floats:
    """The logarithm of P[Bin(n, p) = k] for 0 < k < n and p = 1 - e^-t at least k/n, in Loader's saddle-point form.

    Loader (2000), Fast and accurate computation of binomial probabilities: -n kl(k/n, p) and small terms.

    Returns:
        ln P, to about 25 units in the last place of n kl.
    """
    q, rest = k / n, (n - k) / n
    divergence, _ = divergence_at(np.maximum(t + _log_rest(k, n), 0.0), q, rest)
    root = 0.5 * (np.log(n / k) - np.log(2.0 * np.pi * (n - k)))
    return root - n * divergence + _stirling_error(n) - _stirling_error(k) - _stirling_error(n - k)


def _log_cdf(k: Floats, n: Floats, t: Floats) -> tuple[Floats, Floats]:
    """The logarithm of P[Bin(n, p) <= k] for 0 < k < n - 1, with its derivative in t, where 1 - p = e^-t."""
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
    between = np.flatnonzero((k > 0.0) & (k < n - 1.0) & np.isfinite(log_delta))
    for first in range(0, between.size, _BLOCK):
        block = between[first : first + _BLOCK]
        t[block] = _solve(k[block], n[block], log_delta[block])
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
