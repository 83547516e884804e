"""Gaussian noise added to gradients."""

from dataclasses import dataclass

from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention
from heldout.engine.training.counting import normal
from heldout.records import Refusal

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class NoisyGradients(Intervention):
    """The gradient of :func:`noisy_gradients`."""

    scale: float

    def gradient(self, gradients: Tensors, parameters: Tensors, key: Tensor) -> Tensors:
        """Each gradient with noise of its own."""
        return {
            name: gradient + self.scale * normal(key, tuple(gradient.shape), 500_000 + place).to(gradient.dtype)
            for place, (name, gradient) in enumerate(sorted(gradients.items()))
        }


@intervention(source="Neelakantan et al. 2015, equation 1 (with a constant scale)")
def noisy_gradients(*, scale: float = 0.01) -> Intervention:
    """Add independent Gaussian noise to every coordinate of every gradient.

    Args:
        scale: Its standard deviation.

    Returns:
        The intervention.

    Raises:
        Refusal: If the scale is negative.

    Example:
        >>> import torch
        >>> quiet = noisy_gradients(scale=0.0).gradient({"w": torch.ones(2)}, {}, torch.tensor(3))
        >>> quiet["w"].tolist()
        [1.0, 1.0]
    """
    if not isinstance(scale, int | float) or not scale >= 0:
        raise Refusal(given=f"scale was {scale!r}", expected="0 or more", do="pass scale=0.01")
    return NoisyGradients(scale)
