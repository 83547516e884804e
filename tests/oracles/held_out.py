"""Held-out bounds typed from the papers, slow and independent: bisection and plain loops in float64."""

import math

import numpy as np
from scipy import optimize, stats


def clopper_pearson(errors: int, n: int, delta: float) -> float:
    """Bisection on the binomial tail (Langford 2005, Theorem 3.3)."""
    if errors == n:
        return 1.0
    return float(optimize.brentq(lambda p: stats.binom.cdf(errors, n, p) - delta, errors / n, 1 - 1e-15, xtol=1e-15))


def kl(mean: float, n: int, delta: float) -> float:
    """Bisection on q ln(q/p) + (1-q) ln((1-q)/(1-p)) = ln(1/delta)/n."""

    def divergence(p: float) -> float:
        first = 0.0 if mean == 0 else mean * math.log(mean / p)
        second = 0.0 if mean == 1 else (1 - mean) * math.log((1 - mean) / (1 - p))
        return first + second - math.log(1 / delta) / n

    return 1.0 if mean == 1 else float(optimize.brentq(divergence, max(mean, 1e-300), 1 - 1e-16, xtol=1e-15))


def hoeffding(mean: float, n: int, delta: float) -> float:
    """Hoeffding 1963, Theorem 2."""
    return min(1.0, mean + math.sqrt(math.log(1 / delta) / (2 * n)))


def empirical_bernstein(losses: np.ndarray, delta: float) -> float:
    """Maurer and Pontil 2009, Theorem 4, with the variance as half the mean squared difference of pairs."""
    n = len(losses)
    pairs = sum((a - b) ** 2 for i, a in enumerate(losses) for b in losses[i + 1 :])
    variance = pairs / (n * (n - 1))
    log = math.log(2 / delta)
    return min(1.0, float(losses.mean()) + math.sqrt(2 * variance * log / n) + 7 * log / (3 * (n - 1)))


def betting(losses: np.ndarray, delta: float, steps: int = 4000) -> float:
    """Waudby-Smith and Ramdas: the largest mean on a grid against which the gambler never got rich (digest, section 1)."""
    n, log = len(losses), math.log(1 / delta)
    kept = 0.0
    for m0 in np.linspace(0, 1, steps + 1):
        wealth, most, total, squares = 0.0, 0.0, 0.0, 0.25
        mean = 0.5
        for i, loss in enumerate(losses, 1):
            variance = squares / i
            bet = min(math.sqrt(2 * log / (n * variance)), 0.5 / (1 - m0) if m0 < 1 else math.inf)
            wealth += math.log1p(-bet * (loss - m0))
            most = max(most, wealth)
            total += loss
            mean = (0.5 + total) / (i + 1)
            squares += (loss - mean) ** 2
        if most < log:
            kept = max(kept, float(m0))
    return kept
