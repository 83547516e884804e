"""The median of three gradients."""

from dataclasses import dataclass

from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class MedianOfThree(Intervention):
    """The combination of :func:`rm3`."""

    @property
    def parts(self) -> int:
        """Three parts of the batch."""
        return 3

    def combine(self, gradients: Tensors) -> Tensors:
        """The median over the three parts, coordinate by coordinate."""
        return {name: gradient.median(0).values for name, gradient in gradients.items()}


@intervention(source="Chatterjee and Zielinski 2020, Making coherence out of nothing at all, section 5 (RM3)")
def rm3() -> Intervention:
    """Use the coordinate-wise median of the gradients of three thirds of the batch, whose size must be a multiple of 3.

    It suppresses what only one third asks for, at the price of three gradients and no sort over examples.

    Returns:
        The intervention.

    Example:
        >>> import torch
        >>> rm3().combine({"w": torch.tensor([[5.0], [-1.0], [2.0]])})["w"].item()
        2.0
    """
    return MedianOfThree()
