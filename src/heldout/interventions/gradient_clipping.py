"""Gradients no longer than a bound."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention
from heldout.records import Refusal

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class GradientClipping(Intervention):
    """The gradient of :func:`gradient_clipping`."""

    norm: float

    def gradient(self, gradients: Tensors, parameters: Tensors, key: Tensor) -> Tensors:
        """All of a member's gradients, scaled together."""
        length = torch.stack([gradient.square().sum() for gradient in gradients.values()]).sum().sqrt()
        factor = (self.norm / (length + 1e-6)).clamp(max=1.0)
        return {name: gradient * factor for name, gradient in gradients.items()}


@intervention(source="Pascanu, Mikolov and Bengio 2013, algorithm 1; as torch.nn.utils.clip_grad_norm_")
def gradient_clipping(*, norm: float = 1.0) -> Intervention:
    """Scale a member's whole gradient down to a norm where it is longer.

    Args:
        norm: The longest Euclidean norm.

    Returns:
        The intervention.

    Raises:
        Refusal: If the norm is not positive.

    Example:
        >>> clipped = gradient_clipping(norm=1.0).gradient({"w": torch.tensor([30.0, 40.0])}, {}, torch.tensor(0))
        >>> [round(value, 3) for value in clipped["w"].tolist()]
        [0.6, 0.8]
    """
    if not isinstance(norm, int | float) or not norm > 0:
        raise Refusal(given=f"norm was {norm!r}", expected="a positive number", do="pass norm=1.0")
    return GradientClipping(norm)
