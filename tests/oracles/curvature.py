"""Hessians and Gauss-Newton matrices in float64, row by row through ordinary autograd, and by the formulas of linear models."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from heldout.engine.subject.losses import NAMED


def exact(network: nn.Module, x: Any, y: Tensor) -> tuple[nn.Module, Tensor, Tensor]:
    """A float64 copy in evaluation mode, its outputs with their graph, and the labels."""
    precise = copy.deepcopy(network).double().eval()
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # the fused kernel has no second derivative
        if isinstance(x, dict):
            z = precise(**{k: v.double() if v.is_floating_point() else v for k, v in x.items()})
        else:
            z = precise(x.double())
    return precise, z, y.double() if y.is_floating_point() else y


def flat(parts: Any, parameters: list[Tensor]) -> np.ndarray:
    """Gradients in one row, zero where there is none."""
    pairs = zip(parts, parameters, strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs]).detach().numpy()


def hessian(
    network: nn.Module, x: Any, y: Tensor, loss: str = "cross-entropy", rows: np.ndarray | None = None
) -> np.ndarray:
    """Rows times the Hessian of the mean loss; the Hessian itself ``[P, P]`` unless rows ``[D, P]`` are given."""
    precise, z, target = exact(network, x, y)
    parameters = list(precise.parameters())
    with torch.enable_grad():
        mean = NAMED[loss].per_example(z, target).mean()
        gradient = torch.cat([g.flatten() for g in torch.autograd.grad(mean, parameters, create_graph=True)])
        rows = np.eye(len(gradient)) if rows is None else rows
        found = [
            torch.autograd.grad(gradient @ torch.tensor(row), parameters, retain_graph=True, allow_unused=True)
            for row in rows
        ]
    return np.stack([flat(parts, parameters) for parts in found])


def gauss_newton(network: nn.Module, x: Any, y: Tensor, loss: str = "cross-entropy") -> np.ndarray:
    """``(1 / N) sum J^T B J`` ``[P, P]``, the Jacobian output by output, B by the formula of the loss."""
    precise, z, _ = exact(network, x, y)
    parameters = list(precise.parameters())
    with torch.enable_grad():
        rows = [flat(torch.autograd.grad(entry, parameters, retain_graph=True), parameters) for entry in z.flatten()]
    jacobian, outputs = np.stack(rows).reshape(len(y), -1, rows[0].size), z.detach().numpy().reshape(len(y), -1)
    total = 0.0
    for own, scores in zip(jacobian, outputs, strict=True):
        p = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        bend = np.diag(p) - np.outer(p, p) if loss == "cross-entropy" else 2 * np.eye(len(scores)) / len(scores)
        total = total + own.T @ bend @ own
    return total / len(y)


def magnitudes(network: nn.Module) -> np.ndarray:
    """``|w|`` of all parameters, ``[P]``."""
    return torch.cat([parameter.detach().double().abs().flatten() for parameter in network.parameters()]).numpy()


def of_linear_regression(x: np.ndarray) -> np.ndarray:
    """``(2 / N) X^T X``, with a column of ones last for the bias."""
    padded = np.c_[x, np.ones(len(x))]
    return 2 * padded.T @ padded / len(x)


def of_logistic_regression(x: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """``(1 / N) X^T diag(s (1 - s)) X``, s the logistic function of the scores."""
    padded, s = np.c_[x, np.ones(len(x))], 1 / (1 + np.exp(-scores))
    return padded.T @ ((s * (1 - s))[:, None] * padded) / len(x)


def of_softmax_regression(x: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """``(1 / N) sum (diag(p) - p p^T) kron x x^T``, without bias; classes first, as in ``nn.Linear.weight``."""
    total = 0.0
    for row, score in zip(x, scores, strict=True):
        p = np.exp(score - score.max())
        p /= p.sum()
        total = total + np.kron(np.diag(p) - np.outer(p, p), np.outer(row, row))
    return total / len(x)


def effective_dimensionality(matrix: np.ndarray, examples: int, alpha: float) -> float:
    """``sum lambda / (lambda + alpha)`` over the eigenvalues of the summed loss (Maddox et al. 2020, eq. (2))."""
    eigenvalues = examples * np.linalg.eigvalsh(matrix)
    return float((eigenvalues / (eigenvalues + alpha)).sum())
