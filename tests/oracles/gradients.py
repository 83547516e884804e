"""Per-example gradients in float64, one example at a time through ordinary autograd."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from heldout.engine.subject.losses import NAMED


def per_example(network: nn.Module, x: Any, y: Tensor, loss: str = "cross-entropy") -> dict[str, Tensor]:
    """Parameter's name -> gradients ``[N, ...]`` of a float64 copy in evaluation mode."""
    exact = copy.deepcopy(network).double().eval()
    rows: dict[str, list[Tensor]] = {name: [] for name, _ in exact.named_parameters()}
    with torch.enable_grad():
        for i in range(len(y)):
            exact.zero_grad()
            if isinstance(x, dict):
                z = exact(**{k: v[i : i + 1].double() if v.is_floating_point() else v[i : i + 1] for k, v in x.items()})
            else:
                z = exact(x[i : i + 1].double() if x.is_floating_point() else x[i : i + 1])
            target = y[i : i + 1]
            NAMED[loss].per_example(z, target.double() if target.is_floating_point() else target).sum().backward()
            for name, parameter in exact.named_parameters():
                rows[name].append(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone())
    return {name: torch.stack(gradients) for name, gradients in rows.items()}


def flat(gradients: dict[str, Tensor]) -> Tensor:
    """All gradients of an example in a row, ``[N, P]``."""
    return torch.cat([gradient.flatten(1) for gradient in gradients.values()], dim=1)


def gradient_noise(gradients: Tensor) -> float:
    """Trace of the covariance, coordinate by coordinate (Jiang et al. 2020, eq. (66))."""
    return float(((gradients - gradients.mean(0)) ** 2).mean(0).sum())


def m_coherence(gradients: Tensor) -> float:
    """m E[<g, g'>] / E[|g|^2] over all ordered pairs, drawn with replacement (Chatterjee & Zielinski 2020)."""
    products = gradients @ gradients.T
    return float(len(gradients) * products.mean() / products.diagonal().mean())
