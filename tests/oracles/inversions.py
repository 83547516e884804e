"""Slow references for heldout.engine.numerics, typed from the definitions, in mpmath or plain Python loops."""

import math
from collections.abc import Sequence

import mpmath as mp

DIGITS = 80


def kl(q: float, p: mp.mpf) -> mp.mpf:
    """q ln(q/p) + (1-q) ln((1-q)/(1-p)) with 0 ln 0 = 0."""
    q = mp.mpf(q)
    total = mp.mpf(0)
    if q > 0:
        total += q * mp.log(q / p) if p > 0 else mp.inf
    if q < 1:
        total += (1 - q) * mp.log((1 - q) / (1 - p)) if p < 1 else mp.inf
    return total


def kl_inverse(q: float, budget: float, side: str) -> mp.mpf:
    """The end of {p: kl(q, p) <= budget} on the side "upper" or "lower", by bisection of [q, 1] or [0, q]."""
    with mp.workdps(DIGITS):
        inside, outside = mp.mpf(q), mp.mpf(1 if side == "upper" else 0)
        if kl(q, outside) <= budget:
            return outside
        for _ in range(240):
            middle = (inside + outside) / 2
            if kl(q, middle) <= budget:
                inside = middle
            else:
                outside = middle
        return (inside + outside) / 2


def log_binomial_cdf(k: int, n: int, p: mp.mpf) -> mp.mpf:
    """ln P[Bin(n, p) <= k], the probabilities summed one by one from the largest index down."""
    with mp.workdps(DIGITS):
        p = mp.mpf(p)
        term = mp.mpf(1)
        total = mp.mpf(1)
        for j in range(k, 0, -1):  # terms relative to the one at k
            term *= mp.mpf(j) / (n - j + 1) * (1 - p) / p
            total += term
            if j < n * p and term < total * mp.mpf(10) ** -50:  # from here on they shrink geometrically
                break
        log_choose = mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
        return log_choose + k * mp.log(p) + (n - k) * mp.log(1 - p) + mp.log(total)


def betting_log_wealth(losses: Sequence[float], m0: float, log_delta: float) -> float:
    """max_t ln prod_{i<=t} (1 - lambda_i (x_i - m0)), one example after the other, t = 0 included."""
    n = len(losses)
    total, squares = 0.5, 0.25  # the fake observation: mean 1/2, squared deviation 1/4
    variance = 0.25
    wealth, best = 0.0, 0.0
    for i, x in enumerate(losses, 1):
        cap = 0.5 / (1 - m0) if m0 < 1 else math.inf
        bet = min(math.sqrt(-2 * log_delta / (n * variance)), cap)
        wealth += math.log(1 - bet * (x - m0))
        best = max(best, wealth)
        total += x
        squares += (x - total / (i + 1)) ** 2
        variance = squares / (i + 1)
    return best


def betting_upper(losses: Sequence[float], log_delta: float, points: int = 2000) -> tuple[float, float]:
    """Two neighbouring points of a grid on [0, 1] between which the largest mean that is not rejected lies.

    The whole grid is scanned from the top, so that nothing rests on the rejected set being an interval.
    """
    for i in range(points, -1, -1):
        if betting_log_wealth(losses, i / points, log_delta) < -log_delta:
            return i / points, min((i + 1) / points, 1.0)
    return 0.0, 0.0
