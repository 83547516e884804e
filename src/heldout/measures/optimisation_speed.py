"""How fast training went, from its recorded history."""

import math

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.histories import LossHistory, NoiseHistory
from heldout.records import Direction, Estimate, estimate

NOT_SEEN = "the recorded training loss is not seen to cross "
EVERYWHERE = (
    "layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale", "example-order",
)  # fmt: skip


@measure(source="Jiang et al. 2020, eq. (63)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="steps",
         invariances=EVERYWHERE, undefined=f"{NOT_SEEN}0.1")  # fmt: skip
def steps_to_loss_tenth(loss_history: LossHistory, *, level: float = 0.1) -> Estimate:
    r"""Steps until the training cross-entropy was first at or below 0.1.

    .. math:: \min \{ t : \hat L(w_t) \le 0.1 \}

    Between two recorded steps it is interpolated, the logarithm of the loss along a straight line; they are the interval. It counts
    steps, whatever the size of a batch. The direction is the expectation that what trains fast generalizes; on the networks of
    Jiang et al. it was the other way round.

    Args:
        loss_history: Steps and losses.
        level: Of the loss.

    Returns:
        The number of steps.

    Example:
        >>> seen = LossHistory(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 0.01], dtype=torch.float64))
        >>> round(steps_to_loss_tenth(seen).value.item(), 6)
        5.0
    """
    first, before, after = _crossing(loss_history, level)
    return estimate(first, low=before, high=after)


@measure(source="Jiang et al. 2020, eq. (64)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="steps",
         invariances=EVERYWHERE, undefined=f"{NOT_SEEN}both 0.1 and 0.01")  # fmt: skip
def steps_tenth_to_hundredth(loss_history: LossHistory, *, levels: tuple[float, float] = (0.1, 0.01)) -> Estimate:
    r"""Steps from a training cross-entropy of 0.1 to one of 0.01.

    .. math:: \min \{ t : \hat L(w_t) \le 0.01 \} - \min \{ t : \hat L(w_t) \le 0.1 \}

    It cannot see what came before, which is most of the training.

    Args:
        loss_history: Steps and losses.
        levels: Of the loss, the higher first.

    Returns:
        The number of steps, interpolated as for ``steps-to-loss-tenth``.

    Example:
        >>> seen = LossHistory(torch.tensor([0.0, 10.0, 30.0]), torch.tensor([1.0, 0.1, 0.001], dtype=torch.float64))
        >>> round(steps_tenth_to_hundredth(seen).value.item(), 6)
        10.0
    """
    early, late = (_crossing(loss_history, level) for level in levels)
    least = (late[1] - early[2]).clamp(min=0)
    return estimate(late[0] - early[0], low=least, high=late[2] - early[1])


@measure(source="Jiang et al. 2020, eq. (65)", direction=Direction.HIGHER_IS_WORSE, invariances=EVERYWHERE,
         undefined="no gradient noise was recorded both before and after the end of the first epoch")  # fmt: skip
def first_epoch_gradient_noise(noise_history: NoiseHistory) -> Tensor:
    r"""Trace of the covariance of the loss's gradient over the training examples, when the first epoch had passed.

    .. math:: \frac1N \sum_i \|g_i - \bar g\|^2 \text{ at the end of the first epoch}

    What ``gradient-noise`` was then. Between two recorded steps it is interpolated, its logarithm along a straight line.

    Args:
        noise_history: Steps, noise, and the steps of an epoch.

    Returns:
        The trace.

    Example:
        >>> seen = NoiseHistory(torch.tensor([0.0, 8.0]), torch.tensor([4.0, 1.0]), torch.tensor(4.0))
        >>> first_epoch_gradient_noise(seen).item()
        2.0
    """
    steps, noise, epoch = noise_history
    known = noise.isfinite()
    left, right = _last(known & (steps <= epoch)), _first(known & (steps >= epoch))
    found = (left >= 0) & (right < len(steps))
    left, right = left.clamp(min=0), right.clamp(max=len(steps) - 1)
    width = _at(steps, right) - _at(steps, left)
    share = torch.where(width > 0, (epoch - _at(steps, left)) / torch.where(width > 0, width, 1.0), 0.0)
    logs = noise.log()
    between = torch.where(share > 0, torch.lerp(_at(logs, left), _at(logs, right), share), _at(logs, left)).exp()
    return torch.where(found, between, torch.nan)


def _crossing(history: LossHistory, level: float) -> tuple[Tensor, Tensor, Tensor]:
    """Where the loss first comes to a level, and the recorded steps on either side; NaN where it is not seen above it before."""
    steps, losses = history
    reached = losses <= level
    right = _first(reached)
    left = _last(losses.isfinite() & (torch.arange(len(steps), device=steps.device) < right))
    at_once = reached[0] & (steps[0] == 0)  # before initialisation there is nothing
    found = (right < len(steps)) & ((left >= 0) | at_once)
    left, right = left.clamp(min=0), right.clamp(max=len(steps) - 1)
    logs = losses.clamp(min=torch.finfo(losses.dtype).tiny).log()
    share = (_at(logs, left) - math.log(level)) / (_at(logs, left) - _at(logs, right))
    first = torch.where(at_once, 0.0, torch.lerp(_at(steps, left), _at(steps, right), share.to(steps.dtype)))
    before, after = (torch.where(found, _at(steps, end), torch.nan) for end in (left, right))
    return torch.where(found, first, torch.nan), before, after


def _first(mask: Tensor) -> Tensor:
    """The first place where it holds; their number where there is none."""
    places = torch.arange(len(mask), device=mask.device)
    return torch.where(mask, places, len(mask)).amin()


def _last(mask: Tensor) -> Tensor:
    """The last place where it holds; -1 where there is none."""
    places = torch.arange(len(mask), device=mask.device)
    return torch.where(mask, places, -1).amax()


def _at(values: Tensor, place: Tensor) -> Tensor:
    return values.gather(0, place.unsqueeze(0)).squeeze(0)
