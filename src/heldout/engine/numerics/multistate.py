"""Draws at several temperatures put together into one law: the multistate Bennett acceptance ratio."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Floats = NDArray[np.float64]
SELF_CONSISTENT = 10  # rounds before Newton's: they always climb, and so bring any start near
NEWTON = 60
SETTLED = 1e-9  # largest departure of a rung's share from its count that ends the search


@dataclass(frozen=True, slots=True, eq=False)
class Multistate:
    r"""Draws of all rungs with the weight that each has under the law at temperature zero, the prior.

    .. math:: c(x) = \Big(\sum_s n_s e^{f_s - t_s K(x)}\Big)^{-1}, \quad e^{-f_r} = \sum_x c(x)\, e^{-t_r K(x)}

    The sums run over the draws of all rungs; f_r is ``-ln Z(t_r)`` up to one constant, which the weights of the prior fix.

    Attributes:
        energies: K of every draw, rung after rung, ``[S]``.
        log_weights: ln c, ``[S]``.
        shares: Chance that a draw came from each rung, given its energy, ``[S, R]``.
        inverse: Pseudo-inverse of the curvature of the likelihood of the f_r, ``[R, R]``.
        counts: n_r, ``[R]``.
        shapes: Of the rungs' arrays.
        settled: Whether the equations are solved.
    """

    energies: Floats
    log_weights: Floats
    shares: Floats
    inverse: Floats
    counts: Floats
    shapes: tuple[tuple[int, ...], ...]
    settled: bool

    @property
    def overlap(self) -> float:
        """Smallest overlap of neighbours: the chance that a draw of one would be taken for one of the other."""
        if len(self.counts) < 2:
            return 1.0
        matrix = self.shares.T @ self.shares / self.counts
        return float(np.minimum(np.diag(matrix, 1), np.diag(matrix, -1)).min())

    @property
    def prior_draws(self) -> float:
        """How many independent draws of the prior the draws are worth, were they independent themselves."""
        weights = np.exp(self.log_weights - logsumexp(self.log_weights))
        return float(1 / np.square(weights).sum())

    def log_mean(self, logs: Floats) -> tuple[float, list[Floats]]:
        """Logarithm of a mean over the prior.

        Args:
            logs: Logarithm of the function at every draw, ``[S]``; minus infinity where it is 0.

        Returns:
            The logarithm; and for every rung the influence of its draws, of the rung's shape, whose mean it follows to first
            order: directly, and through the weights.
        """
        total, whole = logsumexp(self.log_weights + logs), logsumexp(self.log_weights)
        if not np.isfinite(total):
            return float(total - whole), [np.zeros(shape) for shape in self.shapes]
        change = np.exp(self.log_weights + logs - total) - np.exp(self.log_weights - whole)
        through = self.shares @ (self.inverse @ (self.shares.T @ change))
        edges = np.cumsum(self.counts).astype(np.int64)[:-1]
        parts = np.split(change + through, edges)
        series = [n * part.reshape(s) for n, part, s in zip(self.counts, parts, self.shapes, strict=True)]
        return float(total - whole), series


def multistate(temperatures: Floats, energies: Sequence[Floats]) -> Multistate:
    """Solve for the weights.

    The likelihood that a draw with energy K came from the rung it came from is concave in the f_r; ten self-consistent rounds
    begin, Newton's with halved steps end.

    Args:
        temperatures: Inverse temperatures t of the rungs, ``[R]``.
        energies: K of the draws of every rung, R arrays of any shapes.

    Returns:
        The draws with their weights.

    Example:
        >>> t = np.array([0.0, 1.0])  # K exponential with mean 1 / (1 + t): Z(1) is a half
        >>> u = -np.log(np.linspace(0.00005, 0.99995, 10000))
        >>> state = multistate(t, [u, u / 2])
        >>> round(float(np.exp(state.log_mean(-state.energies)[0])), 3)
        0.5
    """
    t, counts = np.asarray(temperatures, np.float64), np.array([each.size for each in energies], np.float64)
    pooled = np.concatenate([np.ravel(each) for each in energies])
    exponents = np.log(counts) - np.multiply.outer(pooled, t)
    means = np.array([each.mean() for each in energies])
    f = np.concatenate([[0.0], np.cumsum(np.diff(t) * (means[1:] + means[:-1]) / 2)])

    def at(f: Floats) -> tuple[Floats, Floats, float]:
        logs = exponents + f
        norm = logsumexp(logs, axis=1)
        return norm, np.exp(logs - norm[:, None]), float(counts @ f - norm.sum())

    norm, shares, height = at(f)
    for _ in range(SELF_CONSISTENT):
        f = f + np.log(counts) - np.log(shares.sum(0))
        norm, shares, height = at(f)
    settled = False
    for _ in range(NEWTON):
        slope = counts - shares.sum(0)
        settled = bool((np.abs(slope) <= SETTLED * counts).all())
        if settled:
            break
        step, length = _inverse(shares) @ slope, 1.0
        for _ in range(30):
            candidate = at(f + length * step)
            if candidate[2] >= height - 1e-12 * abs(height):
                break
            length /= 2
        f = f + length * step
        norm, shares, height = candidate
    shapes = tuple(each.shape for each in energies)
    return Multistate(pooled, -norm, shares, _inverse(shares), counts, shapes, settled)


def _inverse(shares: Floats) -> Floats:
    """Of the curvature, whose null vector is the constant that no likelihood fixes."""
    inverse = np.linalg.pinv(np.diag(shares.sum(0)) - shares.T @ shares, rcond=1e-10, hermitian=True)
    return np.asarray(inverse, np.float64)
