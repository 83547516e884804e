"""The best of independent checkpoints with known risks: its optimism and the failures of its limits, exactly."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binom


def winners(risks: list[float], n: int) -> np.ndarray:
    """P[the first checkpoint with the fewest errors is k, with x errors], ``[k, n + 1]``: a product over independent counts."""
    p = np.asarray(risks)[:, None]
    x = np.arange(n + 1)
    mass, above, from_ = binom.pmf(x, n, p), binom.sf(x, n, p), binom.sf(x - 1, n, p)
    return np.array([mass[k] * np.prod(above[:k], axis=0) * np.prod(from_[k + 1 :], axis=0) for k in range(len(risks))])


def expected_optimism(risks: list[float], n: int) -> float:
    """E[risk of the winner - its share of errors]."""
    chance, x = winners(risks, n), np.arange(n + 1)
    return float((chance * (np.asarray(risks)[:, None] - x / n)).sum())


def failure(risks: list[float], n: int, limit: Callable[[int, int], float]) -> float:
    """P[limit(k, errors of the winner k) < its risk]."""
    chance = winners(risks, n)
    return sum(
        chance[k, x] for k in range(len(risks)) for x in range(n + 1) if chance[k, x] > 0 and limit(k, x) < risks[k]
    )


def failure_of_any(risks: list[float], n: int, limit: Callable[[int, int], float]) -> float:
    """P[some limit(k, errors of k) < risk of k]."""
    held = [sum(binom.pmf(x, n, p) for x in range(n + 1) if limit(k, x) >= p) for k, p in enumerate(risks)]
    return 1 - float(np.prod(held))
