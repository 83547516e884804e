"""Training on convex combinations of examples."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import intervention
from heldout.engine.population import Inputs
from heldout.engine.training import Intervention
from heldout.engine.training.counting import uniform

_ORDER, _WEIGHT = 600_001, 600_002  # streams


@dataclass(frozen=True)
class Mixup(Intervention):
    """The batch of :func:`mixup`. Its weight is uniform on [0, 1], the Beta distribution of the default alpha."""

    def batch(self, x: Inputs, y: Tensor, key: Tensor) -> tuple[Inputs, Tensor]:
        """Inputs mixed with those of a partner; labels are mixed in the loss."""
        weight, partner = self._drawn(len(y), key)

        def mixed(leaf: Tensor) -> Tensor:
            return (weight * leaf + (1 - weight) * leaf[partner]).to(leaf.dtype)

        return tree_map(mixed, x), y

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """The losses against both labels, weighted as the inputs were, ``[B]``."""
        weight, partner = self._drawn(len(y), key)
        others = -torch.log_softmax(outputs, -1).gather(-1, y[partner][:, None]).squeeze(-1)
        return weight * losses + (1 - weight) * others

    def _drawn(self, size: int, key: Tensor) -> tuple[Tensor, Tensor]:
        return uniform(key, (1,), _WEIGHT), uniform(key, (size,), _ORDER).argsort()


@intervention(source="Zhang et al. 2018, equation 1, alpha = 1")
def mixup() -> Intervention:
    """Train on mixtures of each example with another of its batch, weights uniform on [0, 1], one for a member and step.

    Cross-entropy only; every leaf of the inputs must be of floating point.

    Returns:
        The intervention.

    Example:
        >>> x, y = torch.arange(4.0)[:, None], torch.arange(4)
        >>> mixed, labels = mixup().batch(x, y, torch.tensor(5))
        >>> bool((mixed.min() >= 0) & (mixed.max() <= 3)), abs(mixed.mean().item() - 1.5) < 1e-6, labels is y
        (True, True, True)
    """
    return Mixup()
