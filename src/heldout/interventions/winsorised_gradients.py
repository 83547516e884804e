"""Per-example gradients with their extremes drawn in, coordinate by coordinate."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention
from heldout.records import Refusal

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class WinsorisedGradients(Intervention):
    """The combination of :func:`winsorised_gradients`."""

    level: int
    groups: int

    @property
    def parts(self) -> int:
        """Gradients kept apart."""
        return self.groups

    def combine(self, gradients: Tensors) -> Tensors:
        """The mean over parts after each coordinate's ``level`` lowest and highest values are moved to the next ones."""
        return {name: _winsorised(gradient, self.level) for name, gradient in gradients.items()}


def _winsorised(gradients: Tensor, level: int) -> Tensor:
    if level == 0:
        return gradients.mean(0)
    # the level-th extremes by selection, which is faster than a sort of all parts
    low = torch.topk(gradients, level + 1, dim=0, largest=False).values[-1]
    high = torch.topk(gradients, level + 1, dim=0).values[-1]
    return torch.maximum(torch.minimum(gradients, high), low).mean(0)


@intervention(source="Chatterjee 2020, section 4; Chatterjee and Zielinski 2022 (winsorised SGD)")
def winsorised_gradients(*, level: int = 2, groups: int = 0) -> Intervention:
    """Average per-example gradients after winsorising every coordinate.

    What only few examples ask for is not learned; what many ask for is left as it is.

    Args:
        level: Values at either end of each coordinate that are moved to the next one.
        groups: Parts of the batch whose mean gradients are kept apart; 0 for every example.

    Returns:
        The intervention.

    Raises:
        Refusal: If the level is negative or would leave nothing in the middle.

    Example:
        >>> parts = torch.tensor([[-9.0], [1.0], [2.0], [3.0], [99.0]])
        >>> winsorised_gradients(level=1).combine({"w": parts})["w"].item()
        2.0
    """
    if level < 0 or (groups and 2 * level >= groups):
        raise Refusal(
            given=f"level was {level} with {groups or 'a batch of'} gradients",
            expected="0 or more, and less than half of the gradients",
            do="lower level",
        )
    return WinsorisedGradients(level, groups)
