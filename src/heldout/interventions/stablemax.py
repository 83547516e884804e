"""StableMax: a softmax that grows linearly, so that large logits are never absorbed."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.catalog import intervention
from heldout.engine.training import Intervention, Setting

_SMALLEST = 1e-30  # what a share is kept above before its logarithm is taken


@dataclass(frozen=True)
class StableMax(Intervention):
    """The loss of :func:`stablemax`."""

    def check(self, training: Setting) -> None:
        """It takes the place of a loss of class scores."""
        training.needs_classes(self)

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """``-log(s(z_y) / sum s(z))`` in float64, ``[B]``; ``s(z) = z + 1`` from 0 on and ``1 / (1 - z)`` below."""
        z = outputs.double()
        s = torch.where(z >= 0, z + 1, 1 / (1 - z.clamp(max=0) + _SMALLEST))
        share = s.gather(-1, y[:, None]).squeeze(-1) / s.sum(-1)
        return -torch.log(share)


@intervention(source="Prieto et al. 2025, section 5.1, equations 5 and 6")
def stablemax() -> Intervention:
    """Cross-entropy of StableMax in place of that of softmax.

    Softmax stops learning when a logit gap passes the precision's range; StableMax's loss falls as one over the gap instead.

    Returns:
        The intervention.

    Example:
        >>> loss = stablemax().losses(torch.zeros(1, 2), torch.tensor([0]), torch.zeros(1), torch.tensor(0))
        >>> round(loss.item(), 4)
        0.6931
    """
    return StableMax()
