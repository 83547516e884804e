"""Training on convex combinations of examples."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import intervention
from heldout.engine.population import Inputs
from heldout.engine.training import Intervention, Setting
from heldout.engine.training.counting import normal, uniform
from heldout.records import Refusal

_ORDER, _WEIGHT = 600_001, 600_010  # streams; the second and the nine after it
_ATTEMPTS = 16  # a proposal is accepted with probability above 0.95: none of 16 is with probability below 2e-21


@dataclass(frozen=True)
class Mixup(Intervention):
    """The batch and the loss of :func:`mixup`."""

    alpha: float

    def check(self, training: Setting) -> None:
        """Cross-entropy only."""
        training.needs_classes(self, "cross-entropy")

    def batch(self, x: Inputs, y: Tensor, key: Tensor) -> tuple[Inputs, Tensor]:
        """Inputs mixed with those of a partner; labels are mixed in the loss."""
        weight, partner = self._drawn(len(y), key)

        def mixed(leaf: Tensor) -> Tensor:
            if not leaf.is_floating_point():
                raise Refusal(
                    given=f"data x held {str(leaf.dtype).removeprefix('torch.')} with Mixup",
                    expected="inputs of floating point, which can be mixed",
                    do="leave mixup out",
                )
            return (weight * leaf + (1 - weight) * leaf[partner]).to(leaf.dtype)

        return tree_map(mixed, x), y

    def losses(self, outputs: Tensor, y: Tensor, losses: Tensor, key: Tensor) -> Tensor:
        """The losses against both labels, weighted as the inputs were, ``[B]``."""
        weight, partner = self._drawn(len(y), key)
        others = -torch.log_softmax(outputs, -1).gather(-1, y[partner][:, None]).squeeze(-1)
        return weight * losses + (1 - weight) * others

    def _drawn(self, size: int, key: Tensor) -> tuple[Tensor, Tensor]:
        return symmetric_beta(key, self.alpha), uniform(key, (size,), _ORDER).argsort()


def symmetric_beta(key: Tensor, alpha: float) -> Tensor:
    """One number from Beta(alpha, alpha): the share of one of two Gamma(alpha) numbers in their sum.

    Args:
        key: Of a member and step.
        alpha: Both parameters.

    Returns:
        ``[1]``, float64.
    """
    return torch.sigmoid(_log_gamma_number(key, alpha, _WEIGHT) - _log_gamma_number(key, alpha, _WEIGHT + 5))


def _log_gamma_number(key: Tensor, alpha: float, purpose: int) -> Tensor:
    """Log of a Gamma(alpha) number, ``[1]``: Marsaglia and Tsang 2000 at alpha + 1, taken down by a power of a uniform one."""
    third = alpha + 2 / 3
    proposal = normal(key, (_ATTEMPTS,), purpose).double()
    cube = (1 + proposal / (9 * third) ** 0.5) ** 3
    level = torch.log1p(-uniform(key, (_ATTEMPTS,), 2 * purpose + 2_000_000).double())
    inside = cube.clamp(min=1e-300)
    accepted = (cube > 0) & (level < 0.5 * proposal.square() + third * (1 - cube + inside.log()))
    first = accepted.to(torch.int64).argmax(keepdim=True)
    power = torch.log1p(-uniform(key, (1,), 2 * purpose + 2_000_001).double()) / alpha
    return (third * inside).log().gather(0, first) + power


@intervention(source="Zhang et al. 2018, equation 1")
def mixup(*, alpha: float = 1.0) -> Intervention:
    """Train on mixtures of each example with another of its batch, one weight from Beta(alpha, alpha) for a member and step.

    Cross-entropy only; every leaf of the inputs must be of floating point.

    Args:
        alpha: 1 for weights uniform on [0, 1]; towards 0 the examples stay whole.

    Returns:
        The intervention.

    Raises:
        Refusal: If alpha is not positive.

    Example:
        >>> x, y = torch.arange(4.0)[:, None], torch.arange(4)
        >>> mixed, labels = mixup(alpha=0.2).batch(x, y, torch.tensor(5))
        >>> bool((mixed.min() >= 0) & (mixed.max() <= 3)), abs(mixed.mean().item() - 1.5) < 1e-6, labels is y
        (True, True, True)
    """
    if not isinstance(alpha, int | float) or not alpha > 0:
        raise Refusal(given=f"alpha was {alpha!r}", expected="above 0", do="pass alpha=0.2, or leave mixup out")
    return Mixup(alpha)
