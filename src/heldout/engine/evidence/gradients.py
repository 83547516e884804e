"""Gradients of the training loss: one streaming pass gives norms of every example's gradient and the mean gradient."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, vmap
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject


class GradientMoments(NamedTuple):
    """First and second moments of the examples' gradients.

    Attributes:
        norms: Euclidean norm of every example's gradient, ``[M, N]``, float64.
        along_weights: Inner product of gradient and weights, ``[M, N]``, float64.
        mean: Parameter's name -> mean gradient ``[M, ...]``, float64.
    """

    norms: Tensor
    along_weights: Tensor
    mean: dict[str, Tensor]


@evidence(forward=1, backward=1)
def gradient_moments(subject: Subject) -> GradientMoments:
    """Moments of the per-example gradients with respect to the parameters as they were trained, in evaluation mode."""
    population, train = subject.population, subject.train
    one_example = _gradient_of_one(population, subject)
    members, examples = len(population), len(train)
    labels = train.labels(members)
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in population.parameters.items()}
    norms = torch.zeros(members, examples, dtype=torch.float64, device=population.device)
    along = torch.zeros_like(norms)
    together = max(1, population.memory // (4 * population.size))  # gradients of single examples that fit
    rows = min(members, together)
    block = max(1, min(together // rows, population.chunks(train.x, per_member=train.x_per_member)[1]))
    for first in range(0, members, rows):
        chosen = slice(first, first + rows)
        parameters = {name: tensor[chosen] for name, tensor in population.parameters.items()}
        buffers = {name: tensor[chosen] for name, tensor in population.buffers.items()}
        for start in range(0, examples, block):
            few = slice(start, start + block)
            batch = train.take(few)
            x = inputs_at(batch.x, chosen) if batch.x_per_member else batch.x
            x = placed(x, population.device, population.dtype)
            gradients = one_example(
                parameters, buffers, x, labels[chosen, few].to(population.device), batch.x_per_member
            )
            for name, gradient in gradients.items():
                flat = gradient.double().reshape(*gradient.shape[:2], -1)  # a scalar parameter has no axis to flatten
                total[name][chosen] += gradient.double().sum(1)
                norms[chosen, few] += flat.square().sum(-1)
                along[chosen, few] += (flat * parameters[name].double().reshape(len(flat), 1, -1)).sum(-1)
    population.tally.forward += members * examples
    population.tally.backward += members * examples
    return GradientMoments(norms.sqrt(), along, {name: gradient / examples for name, gradient in total.items()})


@evidence()
def gradient_norms(gradient_moments: GradientMoments) -> Tensor:
    """Euclidean norm of every training example's gradient, ``[M, N]``."""
    return gradient_moments.norms


@evidence()
def mean_gradient(gradient_moments: GradientMoments) -> dict[str, Tensor]:
    """Gradient of the mean training loss, parameter's name -> ``[M, ...]``."""
    return gradient_moments.mean


Many = Callable[[dict[str, Tensor], dict[str, Tensor], Inputs, Tensor, bool], dict[str, Tensor]]


def _gradient_of_one(population: Population, subject: Subject) -> Many:
    """A function from some members and examples to gradients ``[m, n, ...]``; a loop where vectorising fails."""

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
    ) -> dict[str, Tensor]:
        with vectorisable_kernels(), torch.enable_grad():
            if not working:
                try:
                    gradients = stacked(parameters, buffers, x, y, per_member)
                    working.append(stacked)
                    return gradients
                except Exception:  # recurrent kernels have no rule under vmap; one by one gives the same numbers
                    working.append(looped)
            return working[0](parameters, buffers, x, y, per_member)

    return either
