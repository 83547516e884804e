"""What removing the smallest weights does to the training error."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.noise import mistaken
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.population import Population, weight_layers
from heldout.engine.subject import Subject

TARGET = 0.1  # training error that pruning may cause, the target of the noise searches too
GRID = 0.4  # the grid of kept fractions is 1, 0.4, 0.16, ...: five steps down to a hundredth of the weights
STEPS = 8  # sweeps over the training set

Ranks = dict[str, Tensor]


class Pruning(NamedTuple):
    """The smallest fraction of weights that keeps the training error at or below a tenth, and the curve it stands on.

    Attributes:
        kept: ``[M]``; NaN where the network's own training error is above the target.
        failing: Nearest smaller fraction that was tried and failed, ``[M]``.
        converged: False where the smallest fraction tried still passed, ``[M]``.
        fractions: Kept fractions that were evaluated and the whole network, ascending, ``[M, K]``.
        errors: Training error there, ``[M, K]``.
    """

    kept: Tensor
    failing: Tensor
    converged: Tensor
    fractions: Tensor
    errors: Tensor


@evidence(forward=STEPS, requires=is_classification)
def pruning(subject: Subject, folded: Population, errors: Tensor, labels: Tensor) -> Pruning:
    """Global magnitude pruning of the weight layers: training error against the fraction kept, bisected on its logarithm."""
    train = subject.train
    ranks = magnitude_ranks(folded)
    total = sum(rank[0].numel() for rank in ranks.values())

    def error_at(fraction: Tensor) -> Tensor:
        pruned = pruned_to(folded, ranks, (fraction * total).round())
        outputs = pruned(train.x, per_member=train.x_per_member).double()
        return mistaken(subject, outputs, labels).mean(1)

    own = errors.mean(1)
    found = bisected(own, torch.full_like(own, TARGET), error_at, total)
    defined = own <= TARGET
    return found._replace(
        kept=torch.where(defined, found.kept, torch.nan),
        failing=torch.where(defined, found.failing, torch.nan),
        converged=~defined | found.converged,
    )


def bisected(own: Tensor, target: Tensor, value_at: Callable[[Tensor], Tensor], total: int) -> Pruning:
    """The smallest fraction of weights that passes, down a grid until one fails, then bisected on its logarithm.

    Args:
        own: Value of the whole network, ``[M]``.
        target: What passes is at most this, ``[M]``.
        value_at: Fractions ``[M]`` -> values ``[M]``; called eight times.
        total: Number of weights.

    Returns:
        Fractions, and all that was evaluated.
    """
    passing, failing = torch.ones_like(own), torch.zeros_like(own)
    fractions, seen = [passing], [own]
    for _ in range(STEPS):
        middle = (passing * torch.where(failing > 0, failing, GRID**2 * passing)).sqrt()
        fraction = (middle * total).round().clamp(min=1) / total  # what is kept is a number of weights
        value = value_at(fraction)
        fits = value <= target
        passing, failing = torch.where(fits, fraction, passing), torch.where(fits, failing, fraction)
        fractions.append(fraction)
        seen.append(value)
    order = torch.stack(fractions, dim=1).argsort(dim=1)
    return Pruning(
        kept=passing,
        failing=failing,
        converged=failing > 0,
        fractions=torch.stack(fractions, dim=1).gather(1, order),
        errors=torch.stack(seen, dim=1).gather(1, order),
    )


def magnitude_ranks(population: Population) -> Ranks:
    """Place of every weight among all weights of its network, the largest magnitude first.

    Args:
        population: The networks.

    Returns:
        Weight layer's name -> ranks from 0, ``[M, ...]``.
    """
    layers = {layer.name: population.parameters[layer.name] for layer in weight_layers(population)}
    flat = torch.cat([weight.abs().flatten(1) for weight in layers.values()], dim=1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    places = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
    ranks = torch.empty_like(order).scatter_(1, order, places)
    parts = torch.split(ranks, [weight[0].numel() for weight in layers.values()], dim=1)
    return {name: part.reshape(weight.shape) for (name, weight), part in zip(layers.items(), parts, strict=True)}


def pruned_to(population: Population, ranks: Ranks, count: Tensor) -> Population:
    """The networks with all but their largest weights set to zero; biases and normalisations stay.

    Args:
        population: The networks.
        ranks: Of their weights.
        count: How many weights to keep, ``[M]``.

    Returns:
        The pruned networks.
    """
    pruned = {
        name: population.parameters[name] * (rank < count.reshape(-1, *[1] * (rank.ndim - 1)))
        for name, rank in ranks.items()
    }
    return population.with_tensors({**population.parameters, **pruned}, population.buffers)
