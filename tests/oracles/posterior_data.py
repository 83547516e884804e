"""Models with data whose posteriors are known exactly: a conjugate one and a singular one."""

import numpy as np
import torch
from scipy.special import logsumexp
from tests.oracles.posteriors import LossField
from torch import Tensor


class GaussianMean:
    """Test vector T8: d coordinates of unit variance, their mean unknown, the posterior about the sample's mean.

    Args:
        samples: ``[N, d]``.
        beta: Inverse temperature.
        localisation: gamma of a Gaussian at the sample's mean.
    """

    def __init__(self, samples: np.ndarray, beta: float, localisation: float) -> None:
        self.samples, self.beta = samples, beta
        n, self.d = samples.shape
        self.centre, self.variance = samples.mean(0), 1 / (n * beta + localisation)
        self.field = LossField(self._losses, self.d)

    def _losses(self, w: Tensor) -> Tensor:
        away = torch.from_numpy(self.samples - self.centre) - w[:, None, :]
        return 0.5 * (away.square() + np.log(2 * np.pi)).sum(2)

    def exact(self) -> dict[str, float]:
        """Every observable by its integral: of Gaussians, coordinate by coordinate."""
        s, n = self.variance, len(self.samples)
        away = np.square(self.samples - self.centre)
        level = 0.5 * np.log(2 * np.pi)
        bayes = (level + 0.5 * np.log1p(s) + away / (2 * (1 + s))).sum(1).mean()
        gibbs = (level + 0.5 * (away + s)).sum(1).mean()
        # the variance of (x - w)^2 / 2 over w ~ N(0, s)
        spread = (away * s + 0.5 * s**2).sum()
        # without an example the law of the mean is Gaussian again: wider, and further from it
        wider = 1 / (1 / s - self.beta)
        further = away * np.square(1 + self.beta * wider)
        return {
            "leave-one-out-loss": (level + 0.5 * np.log1p(wider) + further / (2 * (1 + wider))).sum(1).mean(),
            "wbic": n * gibbs,
            "learning-coefficient": n * self.beta * 0.5 * s * self.d,
            "bayes-training-loss": bayes,
            "gibbs-training-loss": gibbs,
            "functional-variance": spread,
            "singular-fluctuation": 0.5 * self.beta * spread,
            "waic": bayes + self.beta * spread / n,
        }

    def generalization(self) -> dict[str, float]:
        """Losses on new data about the true mean 0, less that of the truth."""
        s, square = self.variance, float(np.square(self.centre).sum())
        return {
            "bayes-test-loss": 0.5 * (self.d * (np.log1p(s) - s / (1 + s)) + square / (1 + s)),
            "gibbs-test-loss": 0.5 * (self.d * s + square),
        }


class Product:
    """Test vector T9: ``y = a b x + N(0, 1)``, truth 0, the posterior about the origin, where the model is singular.

    Args:
        x: Inputs ``[N]``.
        y: Outputs ``[N]``.
        localisation: gamma.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, localisation: float) -> None:
        self.x, self.y, self.localisation = x, y, localisation
        self.field = LossField(self._losses, 2)

    def _losses(self, w: Tensor) -> Tensor:
        rest = torch.from_numpy(self.y) - w.prod(1)[:, None] * torch.from_numpy(self.x)
        return 0.5 * (rest.square() + np.log(2 * np.pi))

    def exact(self, beta: float) -> dict[str, float]:
        """Every observable under the Gaussian, by sums over a logarithmic grid of ``|a|`` and ``|b|``."""
        logs = np.linspace(-25.0, np.log(8 / np.sqrt(self.localisation)), 700)
        w = np.exp(logs)
        density = np.exp(-0.5 * self.localisation * w**2) * w
        sizes = np.outer(w, w).ravel()
        # the product alone matters: bins of its size stand for the plane
        edges = np.linspace(np.log(sizes.min()) - 1e-9, np.log(sizes.max()) + 1e-9, 2001)
        place = np.digitize(np.log(sizes), edges)
        mass = np.bincount(place, np.outer(density, density).ravel(), minlength=2002)
        mean = np.bincount(place, np.outer(density, density).ravel() * sizes, minlength=2002)
        kept = mass > 0
        return self.of_product(mean[kept] / mass[kept], mass[kept], beta)

    def uniform(self, beta: float) -> dict[str, float]:
        """The same for a and b uniform on [-1, 1], whose product has the density ``-ln |u| / 2``."""
        u = np.exp(np.linspace(-25.0, 0.0, 1201))
        return self.of_product(u, -np.log(u) * u, beta)

    def of_product(self, sizes: np.ndarray, mass: np.ndarray, beta: float) -> dict[str, float]:
        """The same for any law of the product that is even."""
        u = np.concatenate([sizes, -sizes])
        losses = 0.5 * (np.square(self.y - u[:, None] * self.x) + np.log(2 * np.pi))  # [U, N]
        logits = np.log(np.maximum(np.concatenate([mass, mass]), 1e-300)) - beta * losses.sum(1)
        p = np.exp(logits - logits.max())
        p /= p.sum()
        bayes = -np.log(p @ np.exp(-losses)).mean()
        variance = (p @ np.square(losses) - np.square(p @ losses)).sum()
        centre = 0.5 * (np.square(self.y) + np.log(2 * np.pi)).mean()
        kept = p > 0  # the largest products have no mass left, and losses without bound
        logs = np.log(p[kept])[:, None]
        one_out = logsumexp(logs + beta * losses[kept], axis=0) - logsumexp(logs + (beta - 1) * losses[kept], axis=0)
        square = float(p @ np.square(u))
        return {
            "leave-one-out-loss": float(one_out.mean()), "wbic": float(len(self.x) * (p @ losses.mean(1))),
            "gibbs-test-error": 0.5 * square,
            "learning-coefficient": len(self.x) * beta * float(p @ losses.mean(1) - centre),
            "bayes-training-loss": float(bayes), "gibbs-training-loss": float((p @ losses).mean()),
            "functional-variance": float(variance), "singular-fluctuation": float(0.5 * beta * variance),
            "waic": float(bayes + beta * variance / len(self.x)),
        }  # fmt: skip
