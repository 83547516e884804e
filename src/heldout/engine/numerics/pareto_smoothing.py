"""Importance ratios whose largest ones are smoothed by a generalised Pareto law."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Smoothed(NamedTuple):
    """Importance weights of several problems.

    Attributes:
        log_weights: Summing to 1 over the draws, ``[S, N]``.
        shape: Pareto shape of each tail ``[N]``; above 0.7 the weights are not to be trusted.
    """

    log_weights: Floats
    shape: Floats


def smoothed_weights(log_ratios: Floats) -> Smoothed:
    r"""Pareto-smoothed importance weights (Vehtari et al. 2024, section 3).

    The largest :math:`M = \min(S / 5, 3 \sqrt S)` ratios are replaced by the expected order statistics of the generalised
    Pareto law that fits them, and none may exceed the largest raw one.

    Args:
        log_ratios: ``[S, N]``.

    Returns:
        The weights.

    Example:
        >>> np.exp(smoothed_weights(np.zeros((100, 1))).log_weights[:2, 0]).round(6).tolist()
        [0.01, 0.01]
    """
    draws, problems = log_ratios.shape
    logs = log_ratios - log_ratios.max(axis=0)
    tail = int(np.ceil(min(0.2 * draws, 3 * np.sqrt(draws))))
    order = np.argsort(logs, axis=0)
    rows, columns = order[-tail:], np.arange(problems)
    cutoff = np.maximum(logs[order[-tail - 1], columns], np.log(np.finfo(float).tiny))
    excess = np.exp(logs[rows, columns]) - np.exp(cutoff)
    varied = np.ptp(excess, axis=0) > 0
    # where most of the tail vanishes beside a few ratios there is no law to fit, and nothing to trust
    fits = varied & (excess[int(tail / 4 + 0.5) - 1] > 10 * np.finfo(float).tiny)
    shape, scale = _pareto(np.where(fits, excess, np.arange(1.0, tail + 1)[:, None]))
    quantiles = (np.arange(tail) + 0.5)[:, None] / tail
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        grown = np.where(
            np.abs(shape) < 1e-12,
            -scale * np.log1p(-quantiles),
            scale * np.expm1(-shape * np.log1p(-quantiles)) / shape,
        )
        new = np.minimum(np.log(grown + np.exp(cutoff)), 0.0)
    result = logs.copy()
    result[rows, columns] = np.where(fits, new, logs[rows, columns])
    total = np.log(np.exp(result).sum(axis=0))
    return Smoothed(result - total, np.where(fits, shape, np.where(varied, np.inf, -np.inf)))


def _pareto(excess: Floats) -> tuple[Floats, Floats]:
    """Shape and scale of a generalised Pareto law, sorted samples ``[M, N]`` (Zhang and Stephens 2009, with a weak prior)."""
    count = len(excess)
    grid = 30 + int(np.sqrt(count))
    quarter = excess[int(count / 4 + 0.5) - 1]
    places = np.arange(1, grid + 1, dtype=np.float64)
    guesses = (1 - np.sqrt(grid / (places - 0.5)))[:, None] / (3 * quarter) + 1 / excess[-1]
    shapes = np.log1p(-guesses[:, None] * excess[None]).mean(axis=1)
    heights = count * (np.log(-guesses / shapes) - shapes - 1)
    weights = np.exp(heights - heights.max(axis=0))
    weights /= weights.sum(axis=0)
    best = (guesses * weights).sum(axis=0)
    shape = np.log1p(-best * excess).mean(axis=0)
    scale = -shape / best
    return (count * shape + 5.0) / (count + 10.0), scale
