"""Per-example gradients with their extremes drawn in, coordinate by coordinate."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting
from heldout.records import Refusal

Tensors = dict[str, Tensor]
_FEW = 12  # up to this level, minima and maxima of whole rows are several times as fast as torch's selection by column


@dataclass(frozen=True)
class WinsorisedGradients(Intervention):
    """The combination of :func:`winsorised_gradients`."""

    level: int
    groups: int

    def check(self, training: Setting) -> None:
        """Something is left in the middle."""
        if 2 * self.level >= (self.groups or training.batch):
            raise Refusal(
                given=f"level was {self.level} with {training.batch} gradients a batch",
                expected="less than half of the gradients",
                do="lower level, or pass a larger batch_size",
            )

    @property
    def parts(self) -> int:
        """Gradients kept apart."""
        return self.groups

    def combine(self, gradients: Tensors) -> Tensors:
        """The mean over parts after each coordinate's ``level`` lowest and highest values are moved to the next ones."""
        if self.level == 0:
            return {name: gradient.mean(0) for name, gradient in gradients.items()}
        sizes = [gradient[0].numel() for gradient in gradients.values()]
        # all tensors side by side: the selection is many small operations, which are not worth repeating for each tensor
        rows = torch.cat([gradient.flatten(1) for gradient in gradients.values()], dim=1)
        drawn = torch.maximum(torch.minimum(rows, -_smallest(-rows, self.level)), _smallest(rows, self.level)).mean(0)
        parts = torch.split(drawn, sizes)
        return {name: part.view(g.shape[1:]) for part, (name, g) in zip(parts, gradients.items(), strict=True)}


def _smallest(rows: Tensor, level: int) -> Tensor:
    """The value of each column that ``level`` others are not above."""
    if level > _FEW:
        return torch.topk(rows, level + 1, dim=0, largest=False).values[-1]
    found: list[Tensor] = []  # the smallest so far, ascending; each row sinks to its place
    for row in rows.unbind(0):
        for place, held in enumerate(found):
            found[place], row = torch.minimum(held, row), torch.maximum(held, row)
        if len(found) <= level:
            found.append(row)
    return found[-1]


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
    if not (isinstance(level, int) and isinstance(groups, int)) or level < 0 or (groups and 2 * level >= groups):
        raise Refusal(
            given=f"level was {level} with {groups or 'a batch of'} gradients",
            expected="0 or more, and less than half of the gradients",
            do="lower level",
        )
    return WinsorisedGradients(level, groups)
