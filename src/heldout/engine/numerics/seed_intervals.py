"""What several seeds say together: a mean with its interval."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def mean_over_seeds(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean over independent seeds and its Student interval.

    Args:
        values: One finite value a seed.
        confidence: Of the two-sided interval.

    Returns:
        Mean, low, high; with one seed the interval is the whole line.

    Example:
        >>> mean, low, high = mean_over_seeds([1.0, 2.0, 3.0])
        >>> round(mean, 3), round(low, 3), round(high, 3)
        (2.0, -0.484, 4.484)
    """
    sample = np.asarray(values, dtype=np.float64)
    mean = float(sample.mean())
    if len(sample) < 2:
        return mean, float("-inf"), float("inf")
    half = float(stats.t.ppf(0.5 + confidence / 2, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample)))
    return mean, mean - half, mean + half
