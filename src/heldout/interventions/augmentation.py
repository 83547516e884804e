"""Training on inputs that are moved, mirrored or made noisy anew at every step."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import intervention
from heldout.engine.population import Inputs
from heldout.engine.training import Intervention
from heldout.engine.training.counting import normal, uniform
from heldout.records import Refusal

_SHIFT, _FLIP, _NOISE, _OWN = 700_001, 700_011, 700_021, 700_031  # streams; the first and the one after it
Transform = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Augmentation(Intervention):
    """The batch of :func:`augmentation`."""

    shift: int
    flip: bool
    noise: float
    transform: Transform | None

    def batch(self, x: Inputs, y: Tensor, key: Tensor) -> tuple[Inputs, Tensor]:
        """Inputs of floating point, changed example by example; the labels as they are."""
        return tree_map(lambda leaf: self._changed(leaf, key) if leaf.is_floating_point() else leaf, x), y

    def _changed(self, x: Tensor, key: Tensor) -> Tensor:
        for place in range(2 if x.ndim == 4 else 1) if self.shift else ():
            draws = uniform(key, (len(x),), _SHIFT + place)
            x = moved(x, (draws * (2 * self.shift + 1)).floor().long() - self.shift, -1 - place)
        if self.flip:
            hit = uniform(key, (len(x),), _FLIP) < 0.5
            x = torch.where(hit.view(-1, *[1] * (x.ndim - 1)), x.flip(-1), x)
        if self.noise:
            x = x + self.noise * normal(key, tuple(x.shape), _NOISE).to(x.dtype)
        if self.transform is None:
            return x
        changed = self.transform(x, uniform(key, (len(x),), _OWN))
        if changed.shape != x.shape:
            raise Refusal(
                given=f"transform gave inputs of shape {tuple(changed.shape)} for {tuple(x.shape)}",
                expected="inputs of the same shape",
                do="change values only",
            )
        return changed


def moved(x: Tensor, offsets: Tensor, axis: int) -> Tensor:
    """Each example moved along an axis, zeros coming in.

    Args:
        x: ``[B, ...]``.
        offsets: Whole numbers, ``[B]``; above 0 towards higher places.
        axis: Counted from the end.

    Returns:
        ``[B, ...]``.
    """
    length = x.shape[axis]
    places = torch.arange(length, device=x.device) - offsets[:, None]
    shape = [len(x)] + [1] * (x.ndim - 1)
    shape[axis] = length
    inside = ((places >= 0) & (places < length)).view(shape)
    taken = places.clamp(0, length - 1).view(shape).expand(x.shape)
    return torch.where(inside, x.gather(axis, taken), torch.zeros_like(x))


@intervention(source="Simard, Steinkraus and Platt 2003; Krizhevsky, Sutskever and Hinton 2012 (shifts, mirroring)")
def augmentation(
    *, shift: int = 0, flip: bool = False, noise: float = 0.0, transform: Transform | None = None
) -> Intervention:
    """Change every example of a batch at random, anew for each member and step.

    Inputs ``[B, C, H, W]`` are moved and mirrored as images; all others, ``[B, C, L]`` or ``[B, L]``, along their last axis. What
    is measured, stopped at or recorded sees the examples as they are.

    Args:
        shift: Places to either side, zeros coming in.
        flip: Whether half of the examples are mirrored along their last axis.
        noise: Standard deviation of Gaussian noise on every entry.
        transform: Your own: inputs ``[B, ...]`` and one number in [0, 1) for each ``[B]`` -> inputs; a function of tensors without
            randomness of its own, so that it can be mapped over members.

    Returns:
        The intervention.

    Raises:
        Refusal: If shift or noise is negative, transform cannot be called, or nothing would be changed.

    Example:
        >>> x, y = torch.ones(2, 1, 1, 4), torch.arange(2)
        >>> changed, labels = augmentation(shift=1).batch(x, y, torch.tensor(5))
        >>> changed.shape, labels is y
        (torch.Size([2, 1, 1, 4]), True)
    """
    if not (isinstance(shift, int) and shift >= 0 and isinstance(noise, int | float) and noise >= 0):
        raise Refusal(
            given=f"shift was {shift!r} and noise {noise!r}",
            expected="a whole number of places and a standard deviation, neither below 0",
            do="pass augmentation(shift=1) or augmentation(noise=0.1)",
        )
    if transform is not None and not callable(transform):
        raise Refusal(
            given=f"transform was {transform!r}",
            expected="a callable from inputs and one number for each to inputs",
            do="pass a function of tensors",
        )
    if not (shift or flip or noise or transform):
        raise Refusal(
            given="augmentation was asked to change nothing",
            expected="some of shift, flip, noise and transform",
            do="pass augmentation(shift=1), or leave it out",
        )
    return Augmentation(shift, flip, noise, transform)
