"""Where a noisy, mostly rising curve crosses a target: bisection for all members at once, with its standard error."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

FARTHEST = 30.0  # octaves from the start, beyond which no curve is followed
NEARBY = 0.5  # octaves; the slope is fitted to the points within about this distance of the crossing


class Walk(NamedTuple):
    """What a walk saw.

    Attributes:
        octaves: Points in log2 of the scale, ``[M, K]``.
        errors: Mean over draws there, ``[M, K]``.
        spread: Its standard error, ``[M, K]``.
        crossing: The target's place, ``[M]``; the outermost point where it was not enclosed.
        crossing_spread: Standard error of the mean over draws at the crossing, ``[M]``.
        slope: Of the mean over draws, per octave, near the crossing, ``[M]``.
        closed: Whether the crossing was enclosed, ``[M]``.
    """

    octaves: Tensor
    errors: Tensor
    spread: Tensor
    crossing: Tensor
    crossing_spread: Tensor
    slope: Tensor
    closed: Tensor


def walk(
    errors_at: Callable[[Tensor], Tensor], target: Tensor, start: Tensor, *, first_step: float, steps: int
) -> Walk:
    r"""Enclose the target by steps that double, then halve the enclosure; every member has its own.

    With ``e_d(x)`` the error of draw d at scale ``2^x``, the crossing ``x`` has ``\bar e(x) = target``. The same draws are
    used at every point, so that its error is ``\bar e``'s divided by its slope. Of several crossings it finds one where the
    curve rises from at most the target to above it.

    Args:
        errors_at: Points ``[M]`` in octaves -> errors of the draws ``[M, D]``.
        target: ``[M]``.
        start: ``[M]`` in octaves.
        first_step: In octaves.
        steps: K, how many points are evaluated.

    Returns:
        The walk.
    """
    point, trail, seen = start, [], []
    low, high = torch.full_like(start, -torch.inf), torch.full_like(start, torch.inf)
    low_errors = high_errors = errors = torch.zeros(0)
    for step in range(steps):
        errors = errors_at(point)
        above = errors.mean(1) > target
        low, high = torch.where(above, low, point), torch.where(above, point, high)
        low_errors = torch.where(above.unsqueeze(1), low_errors if step else errors, errors)
        high_errors = torch.where(above.unsqueeze(1), errors, high_errors if step else errors)
        trail.append(point)
        seen.append(errors)
        stride = first_step * 2**step
        outward = torch.where(low.isinf(), high - stride, low + stride).clamp(-FARTHEST, FARTHEST)
        point = torch.where(low.isinf() | high.isinf(), outward, (low + high) / 2)
    closed = low.isfinite() & high.isfinite()
    rise = high_errors.mean(1) - low_errors.mean(1)
    share = torch.where(closed, (target - low_errors.mean(1)) / torch.where(rise > 0, rise, 1.0), 0.5)
    inside = torch.where(closed, low + share * (high - low), torch.where(low.isinf(), high, low))
    there = torch.lerp(low_errors, high_errors, share.unsqueeze(1))
    octaves, means = torch.stack(trail, dim=1), torch.stack([errors.mean(1) for errors in seen], dim=1)
    return Walk(
        octaves=octaves,
        errors=means,
        spread=torch.stack([error_of_mean(errors) for errors in seen], dim=1),
        crossing=inside,
        crossing_spread=error_of_mean(there),
        slope=_slope(octaves, means, inside),
        closed=closed,
    )


def error_of_mean(draws: Tensor) -> Tensor:
    """Standard error of a mean over draws.

    Args:
        draws: ``[M, D]``.

    Returns:
        ``[M]``; NaN for a single draw.
    """
    count = draws.shape[1]
    return ((draws - draws.mean(1, keepdim=True)).square().sum(1) / (count - 1 or torch.nan) / count).sqrt()


def _slope(octaves: Tensor, errors: Tensor, centre: Tensor) -> Tensor:
    """Slope of a straight line through the points, fitted by least squares that count the near ones."""
    weight = (-0.5 * ((octaves - centre.unsqueeze(1)) / NEARBY).square()).exp()
    weight = weight / weight.sum(1, keepdim=True)
    x = octaves - (weight * octaves).sum(1, keepdim=True)
    y = errors - (weight * errors).sum(1, keepdim=True)
    return (weight * x * y).sum(1) / (weight * x.square()).sum(1)
