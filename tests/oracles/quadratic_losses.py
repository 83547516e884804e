"""Gaussian posteriors of linear models, whose losses are squares of Gaussian residuals: every moment in closed form."""

import numpy as np


class LinearModel:
    """``l_i(w) = (y_i - x_i w)^2 / 2`` with ``p(w)`` in proportion to ``exp(-sum_i b_i l_i - gamma |w|^2 / 2)``.

    Args:
        x: ``[N, P]``.
        y: ``[N]``.
        weights: b_i, ``[N]``.
        gamma: Precision of the prior about 0.
        free: Which parameters are drawn; the others stay at ``held``. All unless given.
        held: Values of the parameters ``[P]``.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray, gamma: float,
                 free: tuple[int, ...] = (), held: np.ndarray | None = None) -> None:  # fmt: skip
        free = free or tuple(range(x.shape[1]))
        base = np.zeros(x.shape[1]) if held is None else held.copy()
        base[list(free)] = 0.0
        own = x[:, list(free)]
        self.precision = (own * weights[:, None]).T @ own + gamma * np.eye(len(free))
        self.covariance = np.linalg.inv(self.precision)
        self.mean = self.covariance @ (own * weights[:, None]).T @ (y - x @ base)
        self.free, self.base = list(free), base

    def draws(self, generator: np.random.Generator, chains: int, draws: int) -> np.ndarray:
        """Independent weights ``[K, D, P]``."""
        root = np.linalg.cholesky(self.covariance)
        w = np.broadcast_to(self.base, (chains, draws, len(self.base))).copy()
        w[..., self.free] = self.mean + generator.normal(size=(chains, draws, len(self.free))) @ root.T
        return w

    def residuals(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means ``[M]`` and covariances ``[M, M]`` of the residuals of some examples."""
        own = x[:, self.free]
        return y - x @ self.base - own @ self.mean, own @ self.covariance @ own.T

    def mean_losses(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``E[l]``, ``[M]``."""
        mean, covariance = self.residuals(x, y)
        return 0.5 * (mean**2 + np.diag(covariance))

    def loss_covariance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``Cov(l_i, l_j) = c_ij^2 / 2 + m_i m_j c_ij`` (Isserlis), ``[M, M]``."""
        mean, covariance = self.residuals(x, y)
        return 0.5 * covariance**2 + np.multiply.outer(mean, mean) * covariance


def losses(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``[K, D, M]``."""
    return 0.5 * np.square(y - w @ x.T)
