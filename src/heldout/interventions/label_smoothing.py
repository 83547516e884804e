"""Labels that leave the other classes a share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting
from heldout.records import Refusal


@dataclass(frozen=True)
class LabelSmoothing(Intervention):
    """The loss of :func:`label_smoothing`."""

    share: float

    def check(self, training: Setting) -> None:
        """Cross-entropy only."""
        training.needs_classes(self, "cross-entropy")

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """``(1 - share)`` of the loss and ``share`` of the mean over all classes as labels, ``[B]``."""
        return (1 - self.share) * losses - self.share * torch.log_softmax(outputs, -1).mean(-1)


@intervention(source="Szegedy et al. 2016, section 7; as torch's cross_entropy(label_smoothing=...)")
def label_smoothing(*, share: float = 0.1) -> Intervention:
    """Cross-entropy against labels that give a share, evenly, to all classes.

    Args:
        share: Of all classes together, from 0 to below 1.

    Returns:
        The intervention.

    Raises:
        Refusal: If the share is out of its range.

    Example:
        >>> even = torch.zeros(1, 4)
        >>> loss = torch.log(torch.tensor([4.0]))
        >>> torch.allclose(label_smoothing(share=0.3).losses(even, torch.tensor([1]), loss, torch.tensor(0)), loss)
        True
    """
    if not isinstance(share, int | float) or not 0 <= share < 1:
        raise Refusal(given=f"share was {share!r}", expected="a number from 0 to below 1", do="pass share=0.1")
    return LabelSmoothing(share)
