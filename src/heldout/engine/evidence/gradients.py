"""Gradients of the training loss: one streaming pass gives norms of every example's gradient and the mean gradient."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.layer_gradients import LayerGradients
from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject


class GradientMoments(NamedTuple):
    """First and second moments of the examples' gradients.

    Attributes:
        norms: Euclidean norm of every example's gradient, ``[M, N]``, float64.
        mean: Parameter's name -> mean gradient ``[M, ...]``, float64.
    """

    norms: Tensor
    mean: dict[str, Tensor]


@evidence(forward=1, backward=1)
def gradient_moments(subject: Subject) -> GradientMoments:
    """Moments of the per-example gradients with respect to the parameters as they were trained, in evaluation mode."""
    population, train = subject.population, subject.train
    fast = LayerGradients(population, subject.loss, placed(subject.probe, population.device, population.dtype))
    sums_and_squares = fast if fast.possible else _formed(population, subject)
    members, examples = len(population), len(train)
    labels = train.labels(members)
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in population.parameters.items()}
    squares = torch.zeros(members, examples, dtype=torch.float64, device=population.device)
    rows, block = population.chunks(train.x, per_member=train.x_per_member)
    if not fast.possible:  # gradients of single examples must fit
        rows = min(members, max(1, population.memory // (4 * population.size)))
        block = max(1, min(block, population.memory // (4 * population.size * rows)))
    for first in range(0, members, rows):
        chosen = slice(first, first + rows)
        parameters = {name: tensor[chosen] for name, tensor in population.parameters.items()}
        buffers = {name: tensor[chosen] for name, tensor in population.buffers.items()}
        for start in range(0, examples, block):
            few = slice(start, start + block)
            batch = train.take(few)
            x = inputs_at(batch.x, chosen) if batch.x_per_member else batch.x
            x = placed(x, population.device, population.dtype)
            y = labels[chosen, few].to(population.device)
            sums, squares[chosen, few] = sums_and_squares(parameters, buffers, x, y, batch.x_per_member)
            for name, gradient in sums.items():
                total[name][chosen] += gradient
    population.tally.forward += members * examples
    population.tally.backward += members * examples
    return GradientMoments(squares.sqrt(), {name: gradient / examples for name, gradient in total.items()})


@evidence()
def gradient_norms(gradient_moments: GradientMoments) -> Tensor:
    """Euclidean norm of every training example's gradient, ``[M, N]``."""
    return gradient_moments.norms


@evidence()
def mean_gradient(gradient_moments: GradientMoments) -> dict[str, Tensor]:
    """Gradient of the mean training loss, parameter's name -> ``[M, ...]``."""
    return gradient_moments.mean


Many = Callable[[dict[str, Tensor], dict[str, Tensor], Inputs, Tensor, bool], dict[str, Tensor]]
Moments = Callable[[dict[str, Tensor], dict[str, Tensor], Inputs, Tensor, bool], tuple[dict[str, Tensor], Tensor]]


def _formed(population: Population, subject: Subject) -> Moments:
    """Sums and squared norms from the examples' gradients ``[m, n, ...]`` themselves; a loop where vectorising fails."""

    def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor) -> Tensor:
        outputs = population.call_one(parameters, buffers, tree_map(lambda leaf: leaf.unsqueeze(0), x))
        return subject.loss.per_example(outputs.double(), y.unsqueeze(0)).sum()

    over_examples = vmap(grad(loss), in_dims=(None, None, 0, 0))

    def stacked(
        parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor, per_member: bool
    ) -> dict[str, Tensor]:
        return vmap(over_examples, in_dims=(0, 0, 0 if per_member else None, 0))(parameters, buffers, x, y)

    def looped(
        parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor, per_member: bool
    ) -> dict[str, Tensor]:
        rows = []
        for member in range(y.shape[0]):
            own = {name: tensor[member] for name, tensor in parameters.items()}
            fixed = {name: tensor[member] for name, tensor in buffers.items()}
            data = inputs_at(x, member) if per_member else x
            each = [grad(loss)(own, fixed, inputs_at(data, i), y[member, i]) for i in range(y.shape[1])]
            rows.append({name: torch.stack([gradient[name] for gradient in each]) for name in own})
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    working: list[Many] = []

    def either(
        parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs, y: Tensor, per_member: bool
    ) -> tuple[dict[str, Tensor], Tensor]:
        with vectorisable_kernels(), torch.enable_grad():
            if not working:
                try:
                    stacked(parameters, buffers, inputs_at(x, slice(0, 1), per_member=per_member), y[:, :1], per_member)
                    working.append(stacked)
                except Exception:  # some kernels have no rule under vmap; one by one gives the same numbers
                    working.append(looped)
            gradients = working[0](parameters, buffers, x, y, per_member)
        flat = [gradient.reshape(*y.shape[:2], -1) for gradient in gradients.values()]
        squares = torch.stack([gradient.double().square().sum(-1) for gradient in flat]).sum(0)
        return {name: gradient.double().sum(1) for name, gradient in gradients.items()}, squares

    return either
