"""Inverses of the binary Kullback-Leibler divergence, rounded outward.

kl(q, p) = q ln(q/p) + (1 - q) ln((1-q)/(1-p)). Everything is solved in t = ln((1-q)/(1-p)), in which the divergence

    f(t) = q phi(d/q) + (1-q) phi(-d/(1-q)),   d = p - q = (1-q)(1 - e^-t),   phi(x) = x - ln(1+x) >= 0

is a sum of two terms that are never negative (so nothing cancels when p is near q), is increasing and convex
(f' = d/p, f'' = q(1-p)/p^2), and keeps its resolution when p approaches 1.
"""

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics import domain
from heldout.engine.numerics.domain import Floats
from heldout.records import refuse

_EPS = float(np.finfo(np.float64).eps)
# f is evaluated to about 25 units in the last place; we aim 2^7 units beyond the budget and accept 2^6 units around
# the aim, so that an accepted root is beyond the true one whatever the rounding did, by less than 3e-14 of its size.
_AIM, _BAND = 2.0**7 * _EPS, 2.0**6 * _EPS
_TINY = float(np.finfo(np.float64).tiny)
_SMALLEST_BUDGET = 1e-280  # smaller ones are raised to it: outward, and squares stay above the subnormal numbers
_SATURATED = 1e4  # nats per unit of 1 - q beyond which 1 - p < e^-10000 is zero in float64
_NEWTON_STEPS = 100
_BLOCK = 1 << 15  # entries solved together: their work arrays stay in cache
_SERIES = 1.0 / (2.0 * np.arange(13) + 3.0)


def _phi(x: Floats) -> Floats:
    """X - ln(1+x) by the series of ln(1+x) = 2 artanh(s), s = x/(2+x); full precision for -0.4 <= x <= 0.4."""
    s = x / (2.0 + x)
    square = s * s
    total = np.full_like(s, _SERIES[12])
    for coefficient in _SERIES[11::-1]:  # s^2 <= 1/16: the first term left out is below 2^-52 / 30
        total *= square
        total += coefficient
    return s * (x - 2.0 * square * total)


def divergence_at(t: Floats, q: Floats, rest: Floats) -> tuple[Floats, Floats]:
    """kl(q, p) and its derivative in t, where 1 - p = rest e^-t.

    Args:
        t: Logarithm of (1-q)/(1-p), not negative.
        q: The first argument of the divergence, positive (normal).
        rest: 1 - q, passed along because it may be known better than float64 subtraction would tell.

    Returns:
        f(t) and f'(t) = (p - q)/p.
    """
    fall = -np.expm1(-t)
    gap = rest * fall
    ratio = gap / q
    rise = np.empty_like(t)
    near = ratio <= 0.4
    rise[near] = q[near] * _phi(ratio[near])
    far = ~near
    rise[far] = gap[far] - q[far] * np.log1p(ratio[far])
    near = fall <= 0.4
    rise[near] += rest[near] * _phi(-fall[near])
    far = ~near
    rise[far] += rest[far] * (t[far] - fall[far])
    return rise, gap / (q + gap)


def _solve(q: Floats, rest: Floats, budget: Floats) -> Floats:
    """The t with f(t) = budget, rounded up: Newton from a proven upper end, so every accepted iterate is beyond."""
    budget = np.maximum(budget, _SMALLEST_BUDGET)
    q = np.maximum(q, _TINY)  # raises the result, since the inverse is monotone in q
    # f(t) >= (1-q) t - q ln(1/q) always; kl(q, p) >= (p-q)^2 / (2p) gives the second, usually closer, upper end.
    entropy = -q * np.where(rest < 0.5, np.log1p(-np.minimum(rest, 0.5)), np.log(q))
    end = (1.0 + _AIM) * (budget + entropy) / rest
    gap = budget + np.sqrt(2.0 * q + budget) * np.sqrt(budget)
    start = np.minimum(end, -np.log1p(-np.minimum(gap / rest, 1.0 - 1e-9)))
    t = np.where(gap < rest * (1.0 - 1e-9), start, end)
    active = np.arange(t.size)
    for _ in range(_NEWTON_STEPS):
        here, goal = t[active], budget[active]
        value, slope = divergence_at(here, q[active], rest[active])
        excess = value - goal * (1.0 + _AIM)
        missed = ~(np.abs(excess) <= _BAND * goal)
        if not missed.any():
            return t
        active = active[missed]
        t[active] = here[missed] - excess[missed] / slope[missed]
    t[active] = end[active]  # not converged: the upper end itself, which is safe and loose
    return t


def log_ratio(q: Floats, rest: Floats, budget: Floats) -> Floats:
    """Upper end of {ln((1-q)/(1-p)): p >= q, kl(q, p) <= budget}, one entry per entry of flat arrays.

    Args:
        q: Risks in [0, 1].
        rest: 1 - q.
        budget: Nats, at least 0.

    Returns:
        t >= 0, infinite where 1 - p is zero in float64; 0 exactly where the budget is 0.
    """
    t = np.where(budget == 0.0, 0.0, np.inf)
    active = np.flatnonzero((budget > 0.0) & (budget < _SATURATED * rest) & (rest >= _TINY))
    for first in range(0, active.size, _BLOCK):
        block = active[first : first + _BLOCK]
        t[block] = _solve(q[block], rest[block], budget[block])
    return t


def kl_inverse_upper(risk: ArrayLike, budget: ArrayLike) -> Floats:
    """The largest risk that a divergence budget allows, sup{p in [q, 1]: kl(q, p) <= c}, rounded up.

    Langford (2005), Tutorial on practical prediction theory for classification, JMLR 6, Definition 3.2;
    never below the exact value, and above it by at most 1e-12. Safeguarded Newton over the whole array.
    It cannot see whether the budget was computed rightly: c = (KL + ln(1/delta))/n is the caller's.
    Refused: risks outside [0, 1], negative or undefined budgets.

    Args:
        risk: The empirical risk q in [0, 1].
        budget: The budget c in nats, at least 0; may be infinite.

    Returns:
        float64 of the broadcast shape, in [q, 1].

    Example:
        No error in 100 examples at delta = 0.05 leaves p = 1 - 0.05**(1/100).

        >>> print(f"{kl_inverse_upper(0.0, np.log(20) / 100):.6f}")
        0.029513
    """
    q, c = domain.broadcast(risk, budget)
    refuse(domain.proportions("risk", q) + domain.budgets(c))
    flat, rest = q.ravel(), 1.0 - q.ravel()
    t = log_ratio(flat, rest, c.ravel())
    upper = np.nextafter(flat + rest * -np.expm1(-t) * (1.0 + 4.0 * _EPS), 2.0)
    return np.where(t == 0.0, flat, np.minimum(upper, 1.0)).reshape(q.shape)[()]


def kl_inverse_lower(risk: ArrayLike, budget: ArrayLike) -> Floats:
    """The smallest risk that a divergence budget allows, inf{p in [0, q]: kl(q, p) <= c}, rounded down.

    The mirror image of `kl_inverse_upper` through kl(q, p) = kl(1-q, 1-p), solved as p = q e^-t so that small
    risks keep their relative precision. Source and blindness as there.
    Refused: risks outside [0, 1], negative or undefined budgets.

    Args:
        risk: The empirical risk q in [0, 1].
        budget: The budget c in nats, at least 0; may be infinite.

    Returns:
        float64 of the broadcast shape, in [0, q].

    Example:
        >>> print(f"{kl_inverse_lower(1.0, np.log(20) / 100):.6f}")
        0.970487
    """
    q, c = domain.broadcast(risk, budget)
    refuse(domain.proportions("risk", q) + domain.budgets(c))
    flat = q.ravel()
    t = log_ratio(1.0 - flat, flat, c.ravel())
    lower = np.nextafter(flat * np.exp(-t) * (1.0 - 4.0 * _EPS), -1.0)
    return np.where(t == 0.0, flat, np.maximum(lower, 0.0)).reshape(q.shape)[()]


def binary_kl(q: ArrayLike, p: ArrayLike) -> Floats:
    """The binary divergence kl(q, p) = q ln(q/p) + (1-q) ln((1-q)/(1-p)) in nats, to nearest, with 0 ln 0 = 0.

    Cover and Thomas (2006), Elements of Information Theory, relative entropy, for two Bernoulli distributions. Infinite
    where p is 0 or 1 and q is not. It is not rounded outward: for a bound use the inverses.
    Refused: arguments outside [0, 1].

    Args:
        q: The first distribution's probability, in [0, 1].
        p: The second distribution's probability, in [0, 1].

    Returns:
        float64 of the broadcast shape, at least 0.

    Example:
        >>> print(f"{binary_kl(0.0, 0.5):.6f}")  # ln 2
        0.693147
    """
    q, p = domain.broadcast(q, p)
    refuse(domain.proportions("q", q) + domain.proportions("p", p))
    gap, rest = p - q, 1.0 - q
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        near = _phi_sum(gap, q, rest)
        first = np.where(q == 0.0, 0.0, q * (np.log(q) - np.log(p)))
        second = np.where(rest == 0.0, 0.0, rest * (np.log1p(-q) - np.log1p(-p)))
        far = np.maximum(first + second, 0.0)
    return np.where(np.abs(gap) <= 0.4 * np.minimum(q, rest), near, far)[()]


def _phi_sum(gap: Floats, q: Floats, rest: Floats) -> Floats:
    """Q phi(d/q) + (1-q) phi(-d/(1-q)): the divergence where |d| is small beside q and 1-q, meaningless elsewhere."""
    return np.where(gap == 0.0, 0.0, q * _phi(gap / q) + rest * _phi(-gap / rest))
