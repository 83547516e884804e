"""The highest place in a box around the weights: the maximum that sharpness after Keskar et al. and after Jiang et al. is made of."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.utils._pytree import tree_map

from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Examples, Loss

Tensors = dict[str, Tensor]
Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # outputs, labels of one network -> climbed, judged


class BoxRise(NamedTuple):
    """What was found in the box.

    Attributes:
        before: Mean loss at its centre, ``[M]``, float64.
        rise: Largest mean loss found in it minus that, ``[M]``, float64, not negative: a lower bound of the maximum.
    """

    before: Tensor
    rise: Tensor


class Highest(NamedTuple):
    """The highest of the places that a climb went through.

    Attributes:
        first: What was judged where it began, ``[S]``, float64.
        judged: The largest that was judged, ``[S]``: a lower bound of the box's maximum.
        place: Parameter's name -> where, ``[S, ...]``.
    """

    first: Tensor
    judged: Tensor
    place: Tensors


def rise_in_box(
    population: Population, examples: Examples, loss: Loss, half_widths: Mapping[str, Tensor], *, iterations: int = 10
) -> BoxRise:
    r"""The largest mean loss at ``w + z`` with ``|z_i| <= h_i``, looked for among the corners.

    .. math:: z_{k+1} = h \odot \mathrm{sign} \nabla L(w + z_k), \quad z_0 = 0

    Where the loss is convex in the box each corner is at least as high as the one before; the best one is kept in any case.
    The iteration has no step size, and follows any re-scaling of coordinates exactly.

    Args:
        population: M networks.
        examples: On which the mean is taken.
        loss: One an example.
        half_widths: Parameter's name -> h, ``[M, ...]``; parameters that are not named stay.
        iterations: Gradients taken.

    Returns:
        Loss at the centre, and the rise.
    """

    def mean_loss(outputs: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        mean = loss.per_example(outputs, y).mean()
        return mean, mean

    found = highest_in_box(population, examples, mean_loss, half_widths, strides=[2.0] * iterations)
    return BoxRise(found.first, found.judged - found.first)


def highest_in_box(
    population: Population,
    examples: Examples,
    objective: Objective,
    half_widths: Mapping[str, Tensor],
    *,
    strides: Sequence[float],
    start: Mapping[str, Tensor] | None = None,
) -> Highest:
    r"""Projected ascent by signs in the box ``|z_i| <= h_i`` around the weights.

    .. math:: z_{k+1} = \mathrm{clip}\bigl(z_k + t_k h \odot \mathrm{sign} \nabla F(w + z_k), -h, h\bigr)

    A stride of 2 reaches the corner that the gradient points to from anywhere in the box.

    Args:
        population: S networks; the box around each is climbed at once.
        examples: On which all of them are judged.
        objective: Outputs and labels of one network -> what is climbed, and what the places are compared by.
        half_widths: Parameter's name -> h, ``[S, ...]``; parameters that are not named stay.
        strides: ``t_k``, one a gradient, in units of h.
        start: Parameter's name -> ``z_0 / h``, broadcast to ``[S, ...]``; the centre unless given.

    Returns:
        The highest place, by what was judged, among those that were visited.
    """
    x = placed(examples.x, population.device, population.dtype)
    y = examples.labels(len(population)).to(population.device)
    members, block = population.chunks(x, per_member=examples.x_per_member)
    rows = max(1, members * block // len(examples))  # all examples of a network at once: its gradient has one sign
    climb = _climber(population, objective)
    parts = []
    for first in range(0, len(population), rows):
        few = slice(first, first + rows)
        own = {name: weight[few] for name, weight in population.parameters.items()}
        fixed = {name: buffer[few] for name, buffer in population.buffers.items()}
        widths = {name: width[few].to(own[name]) for name, width in half_widths.items()}
        begin = {name: (0.0 if start is None else start[name].to(width)) * width for name, width in widths.items()}
        data = inputs_at(x, few) if examples.x_per_member else x

        def look(
            place: Tensors, fixed: Tensors = fixed, data: Inputs = data, few: slice = few
        ) -> tuple[Tensors, Tensor]:
            return climb(place, fixed, data, y[few], examples.x_per_member)

        parts.append(_climbed(look, own, widths, begin, strides))
    population.tally.forward += (len(strides) + 1) * y.shape[0] * y.shape[1]
    population.tally.backward += (len(strides) + 1) * y.shape[0] * y.shape[1]
    return Highest(
        torch.cat([part.first for part in parts]),
        torch.cat([part.judged for part in parts]),
        {name: torch.cat([part.place[name] for part in parts]) for name in population.parameters},
    )


def _climbed(
    look: Callable[[Tensors], tuple[Tensors, Tensor]],
    centre: Tensors,
    widths: Tensors,
    offset: Tensors,
    strides: Sequence[float],
) -> Highest:
    place = {name: weight + offset[name] if name in widths else weight for name, weight in centre.items()}
    gradients, judged = look(place)
    first, best, where = judged, judged, place
    for stride in strides:
        for name, width in widths.items():
            step = offset[name] + stride * width * gradients[name].sign()
            offset[name] = torch.minimum(torch.maximum(step, -width), width)
        place = {name: weight + offset[name] if name in widths else weight for name, weight in centre.items()}
        gradients, judged = look(place)
        higher = judged > best
        best = torch.where(higher, judged, best)
        where = {
            name: torch.where(higher.reshape(-1, *[1] * (kept.ndim - 1)), place[name], kept)
            for name, kept in where.items()
        }
    return Highest(first, best, where)


def _climber(population: Population, objective: Objective) -> Callable[..., tuple[Tensors, Tensor]]:
    """Gradients and what is judged, of a stack; one network after the other where vectorising fails."""

    def of_one(parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor) -> tuple[Tensor, Tensor]:
        return objective(population.call_one(parameters, buffers, x).double(), y)

    one: Any = grad_and_value(of_one, has_aux=True)

    def stacked(
        place: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool
    ) -> tuple[Tensors, tuple[Tensor, Tensor]]:
        many: Any = torch.vmap(one, in_dims=(0, 0, 0 if per_member else None, 0))
        return many(place, buffers, x, y)

    def looped(
        place: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool
    ) -> tuple[Tensors, tuple[Tensor, Tensor]]:
        each = [
            one(*({name: t[row] for name, t in part.items()} for part in (place, buffers)),
                inputs_at(x, row) if per_member else x, y[row])
            for row in range(len(y))
        ]  # fmt: skip
        return tree_map(lambda *leaves: torch.stack(leaves), *each)

    vectorised = True

    def either(place: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool) -> tuple[Tensors, Tensor]:
        nonlocal vectorised
        with vectorisable_kernels():
            if vectorised:
                try:
                    gradients, (_, judged) = stacked(place, buffers, x, y, per_member)
                    return gradients, judged.double()
                except Exception:  # some kernels have no rule under vmap; one by one gives the same numbers
                    vectorised = False
            gradients, (_, judged) = looped(place, buffers, x, y, per_member)
        return gradients, judged.double()

    return either
