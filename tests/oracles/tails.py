"""Power-law tails, one start after the other, typed from Clauset, Shalizi & Newman 2009, sections 3.1 and 3.3."""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Law(NamedTuple):
    """The best fit."""

    alpha: float
    standard_error: float
    start: float
    size: int
    distance: float


def fit(eigenvalues: Iterable[float]) -> Law:
    """The start of smallest Kolmogorov-Smirnov distance, the empirical distribution counted strictly below each point."""
    values = sorted(float(value) for value in eigenvalues)
    best = None
    for start in values[:-1]:
        tail = [value for value in values if value >= start]
        n = len(tail)
        total = math.fsum(math.log(value / start) for value in tail)
        if total <= 0:
            continue
        alpha = 1 + n / total
        distance = 0.0
        for value in tail:
            below = sum(other < value for other in tail) / n
            distance = max(distance, abs(1 - (value / start) ** (1 - alpha) - below))
        if best is None or distance < best.distance:
            best = Law(alpha, (alpha - 1) / math.sqrt(n), start, n, distance)
    assert best is not None
    return best
