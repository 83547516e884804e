"""The precision in which the loss is computed: where softmax collapse begins."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting
from heldout.records import Refusal

PRECISIONS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class LossPrecision(Intervention):
    """The loss of :func:`loss_precision`."""

    precision: str

    def check(self, training: Setting) -> None:
        """It takes the place of a loss of class scores."""
        training.needs_classes(self)

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """Cross-entropy with every operation of the log-softmax rounded to the precision, ``[B]``."""
        z = outputs.to(PRECISIONS[self.precision])
        return F.nll_loss(torch.log_softmax(z, -1), y, reduction="none")


@intervention(source="Prieto et al. 2025, section 4 (softmax collapse)")
def loss_precision(*, precision: str = "float32") -> Intervention:
    """Cross-entropy computed in another floating-point precision than the network's.

    Args:
        precision: ``float16``, ``bfloat16``, ``float32`` or ``float64``.

    Returns:
        The intervention.

    Raises:
        Refusal: If the precision is none of these.

    Example:
        >>> gap = torch.tensor([[20.0, 0.0]])
        >>> [loss_precision(precision=p).losses(gap, torch.tensor([0]), gap[0], gap).item() > 0 for p in ("float32", "float64")]
        [False, True]
    """
    if precision not in PRECISIONS:
        raise Refusal(
            given=f"precision was '{precision}'", expected=f"one of {', '.join(PRECISIONS)}", do="choose one of these"
        )
    return LossPrecision(precision)
