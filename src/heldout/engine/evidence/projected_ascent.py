"""The largest rise of a loss in a ball around the weights, looked for by projected ascent with momentum."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

#: Losses ``[R]`` and gradients ``[R, P]`` of R networks at ``w + c u`` with respect to u, given u ``[R, P]``; without gradients
#: where the second argument is False.
Climb = Callable[[Tensor, bool], tuple[Tensor, Tensor]]

MOMENTUM = 0.75  # Croce and Hein 2020, arXiv 2003.01690, section 3, as all that follows
FIRST_CHECK, SHRINKING, SHORTEST = 0.22, 0.03, 0.06  # shares of the steps between two looks at the step size
ENOUGH = 0.75  # of the steps must have improved


class Rise(NamedTuple):
    """What the ascent found.

    Attributes:
        before: Loss in the centre, ``[R]``, float64.
        rise: Largest loss that was seen in the ball minus that, ``[R]``: not negative, and a lower bound of the maximum.
        late: The part of it that was found in the last tenth of the steps, ``[R]``: large where more steps would find more.
    """

    before: Tensor
    rise: Tensor
    late: Tensor


def ascend(climb: Climb, start: Tensor, radius: float, norm: str, *, steps: int = 20) -> Rise:
    r"""Auto-PGD in coordinates in which the ball is a ball: ``|u|_p <= rho``, the weights being ``w + c u``.

    .. math:: z = P(u_k + \eta \, d(\nabla_u L)), \quad u_{k+1} = P(u_k + \alpha (z - u_k) + (1 - \alpha)(u_k - u_{k-1}))

    P is exact there, radial or a clamp, where the ellipsoid in the weights' own coordinates needs a bisection (Andriushchenko
    et al. 2023). d makes the gradient's length 1 or takes its signs. The step eta starts at 2 rho and is halved, and the walk
    taken up from the best place, at a checkpoint where fewer than 75 % of the steps since the last one improved, or where
    neither step nor best changed. Each row keeps its own step size.

    Args:
        climb: The losses.
        start: u at the start, ``[R, P]``, in the ball: near its centre, but not in it, where a critical point gives no direction.
        radius: rho.
        norm: ``"l2"`` or ``"linf"``.
        steps: How many, each a forward and a backward pass.

    Returns:
        The rise.
    """
    project, direct = (_into_ball, _unit) if norm == "l2" else (_into_box, torch.sign)
    before, _ = climb(torch.zeros_like(start), False)
    value, gradient = climb(start, True)
    best, best_value, best_gradient = start, value, gradient
    previous, place = start, start
    step = torch.full_like(before, 2 * radius)
    checks, last_check = checkpoints(steps), 0
    improved = torch.zeros_like(before)
    step_at_check, value_at_check = step, best_value
    early = best_value
    for made in range(1, steps + 1):
        target = project(place + step.unsqueeze(1) * direct(gradient), radius)
        weight = MOMENTUM if made > 1 else 1.0  # the first step has nothing behind it
        place, previous = project(place + weight * (target - place) + (1 - weight) * (place - previous), radius), place
        value, gradient = climb(place, True)
        higher = value > best_value
        improved = improved + higher
        best_value = torch.where(higher, value, best_value)
        best, best_gradient = (
            torch.where(higher.unsqueeze(1), new, old) for new, old in ((place, best), (gradient, best_gradient))
        )
        if made in checks:
            slow = improved < ENOUGH * (made - last_check)
            stuck = (step == step_at_check) & (best_value == value_at_check)
            halve = slow | stuck
            step_at_check, value_at_check, last_check = step, best_value, made
            step, improved = torch.where(halve, step / 2, step), torch.zeros_like(improved)
            place, gradient = (
                torch.where(halve.unsqueeze(1), back, now) for back, now in ((best, place), (best_gradient, gradient))
            )
            previous = torch.where(halve.unsqueeze(1), best, previous)
        if made == steps - max(1, steps // 10):
            early = best_value
    found, found_early = ((value - before).clamp(min=0) for value in (best_value, early))
    return Rise(before, found, found - found_early)


def checkpoints(steps: int) -> set[int]:
    """Steps after which the step size is looked at.

    Args:
        steps: Of the whole ascent.

    Returns:
        Their numbers, from 1; the first after 22 % of them, the others at distances that shrink to 6 %.

    Example:
        >>> sorted(checkpoints(20))
        [5, 9, 12, 14, 16, 18, 19]
    """
    shares, found = [0.0, FIRST_CHECK], set[int]()
    while shares[-1] < 1:
        found.add(math.ceil(round(shares[-1] * steps, 9)))
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - SHRINKING, SHORTEST))
    return found - {steps}


def _unit(gradient: Tensor) -> Tensor:
    length = gradient.norm(dim=1, keepdim=True)
    return gradient / length.where(length > 0, 1.0)


def _into_ball(place: Tensor, radius: float) -> Tensor:
    return place * (radius / place.norm(dim=1, keepdim=True).clamp(min=radius))


def _into_box(place: Tensor, radius: float) -> Tensor:
    return place.clamp(-radius, radius)
