"""Gradients without their part along the weights."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class PerpGrad(Intervention):
    """The gradient of :func:`perp_grad`."""

    def gradient(self, gradients: Tensors, parameters: Tensors, key: Tensor) -> Tensors:
        """Each tensor's gradient, orthogonal to the tensor and as long as it was."""
        return {name: _perpendicular(gradient, parameters[name]) for name, gradient in gradients.items()}


def _perpendicular(gradient: Tensor, weight: Tensor) -> Tensor:
    along = (weight * gradient).sum() / ((weight * weight).sum() + 1e-30)
    rest = gradient - along * weight
    return rest * (torch.linalg.vector_norm(gradient) / (torch.linalg.vector_norm(rest) + 1e-30))


@intervention(source="Prieto et al. 2025, section 5.2, equation 10 (perpGrad)")
def perp_grad() -> Intervention:
    """Take from each tensor's gradient its part along the tensor, and give the rest the gradient's length.

    The part along the weights only scales the logits (naive loss minimisation), which ends in softmax collapse.

    Returns:
        The intervention.

    Example:
        >>> weight, gradient = torch.tensor([3.0, 0.0]), torch.tensor([1.0, 2.0])
        >>> turned = perp_grad().gradient({"w": gradient}, {"w": weight}, torch.tensor(0))["w"]
        >>> torch.allclose(turned, torch.tensor([0.0, 5.0 ** 0.5]))
        True
    """
    return PerpGrad()
