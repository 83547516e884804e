"""Gradients of the training loss: one streaming pass gives norms of every example's gradient and the mean gradient."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.example_gradients import Tensors, example_gradients
from heldout.engine.evidence.layer_gradients import LayerGradients
from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import placed
from heldout.engine.subject import Subject


class GradientMoments(NamedTuple):
    """First and second moments of the examples' gradients.

    Attributes:
        norms: Euclidean norm of every example's gradient, ``[M, N]``, float64.
        mean: Parameter's name -> mean gradient ``[M, ...]``, float64.
        layers: Module's name -> mean squared norm of its own parameters' gradients over examples ``[M]``, float64.
    """

    norms: Tensor
    mean: dict[str, Tensor]
    layers: dict[str, Tensor]


class Few(NamedTuple):
    """Some members with some examples, as they are handed to a function of gradients.

    Attributes:
        members: Which.
        examples: Which.
        parameters: Name -> ``[m, ...]``.
        buffers: Name -> ``[m, ...]``.
        x: Leaves ``[n, ...]``, or ``[m, n, ...]`` where ``per_member``.
        y: ``[m, n, ...]``.
        per_member: Whether every member has inputs of its own.
    """

    members: slice
    examples: slice
    parameters: Tensors
    buffers: Tensors
    x: Inputs
    y: Tensor
    per_member: bool


@evidence(forward=1, backward=1)
def gradient_moments(subject: Subject) -> GradientMoments:
    """Moments of the per-example gradients with respect to the parameters as they were trained, in evaluation mode."""
    population, train = subject.population, subject.train
    fast = LayerGradients(population, subject.loss, placed(subject.probe, population.device, population.dtype))
    sums_and_squares = fast if fast.possible else _formed(population, subject)
    members, examples = len(population), len(train)
    total = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in population.parameters.items()}
    squares = torch.zeros(members, examples, dtype=torch.float64, device=population.device)
    layers: dict[str, Tensor] = {}
    for few in portions(
        subject, *(population.chunks(train.x, per_member=train.x_per_member) if fast.possible else room(subject))
    ):
        sums, own = sums_and_squares(few.parameters, few.buffers, few.x, few.y, few.per_member)
        squares[few.members, few.examples] = torch.stack(list(own.values())).sum(0)
        for name, gradient in sums.items():
            total[name][few.members] += gradient
        for name, square in own.items():
            layers.setdefault(name, squares.new_zeros(members))[few.members] += square.sum(1)
    mean = {name: gradient / examples for name, gradient in total.items()}
    return GradientMoments(squares.sqrt(), mean, {name: square / examples for name, square in layers.items()})


@evidence()
def gradient_norms(gradient_moments: GradientMoments) -> Tensor:
    """Euclidean norm of every training example's gradient, ``[M, N]``."""
    return gradient_moments.norms


@evidence()
def mean_gradient(gradient_moments: GradientMoments) -> dict[str, Tensor]:
    """Gradient of the mean training loss, parameter's name -> ``[M, ...]``."""
    return gradient_moments.mean


def room(subject: Subject) -> tuple[int, int]:
    """Members and examples at a time whose gradients fit in memory when each example's is formed.

    Args:
        subject: What is under study.

    Returns:
        Two positive numbers.
    """
    population, train = subject.population, subject.train
    _, block = population.chunks(train.x, per_member=train.x_per_member)
    rows = min(len(population), max(1, population.memory // (4 * population.size)))
    return rows, max(1, min(block, population.memory // (4 * population.size * rows)))


def portions(subject: Subject, rows: int, block: int) -> Iterator[Few]:
    """The whole work once, in portions; counted as one sweep forward and backward.

    Args:
        subject: Networks and data.
        rows: Members at a time.
        block: Examples at a time.

    Yields:
        The portions.
    """
    population, train = subject.population, subject.train
    labels = train.labels(len(population))
    for first in range(0, len(population), rows):
        chosen = slice(first, first + rows)
        parameters = {name: tensor[chosen] for name, tensor in population.parameters.items()}
        buffers = {name: tensor[chosen] for name, tensor in population.buffers.items()}
        for start in range(0, len(train), block):
            few = slice(start, start + block)
            batch = train.take(few)
            x = placed(
                inputs_at(batch.x, chosen) if batch.x_per_member else batch.x, population.device, population.dtype
            )
            y = labels[chosen, few].to(population.device)
            yield Few(chosen, few, parameters, buffers, x, y, batch.x_per_member)
    population.tally.forward += len(population) * len(train)
    population.tally.backward += len(population) * len(train)


Moments = Callable[[Tensors, Tensors, Inputs, Tensor, bool], tuple[Tensors, Tensors]]


def _formed(population: Population, subject: Subject) -> Moments:
    """Sums and each layer's squared norms from the examples' gradients themselves."""
    gradients_of = example_gradients(population, subject)

    def moments(
        parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool
    ) -> tuple[Tensors, Tensors]:
        gradients = gradients_of(parameters, buffers, x, y, per_member)
        squares: Tensors = {}
        for name, gradient in gradients.items():
            owner = name.rpartition(".")[0]
            square = gradient.reshape(*y.shape[:2], -1).double().square().sum(-1)
            squares[owner] = squares[owner] + square if owner in squares else square
        return {name: gradient.double().sum(1) for name, gradient in gradients.items()}, squares

    return moments
