"""What a population achieves on some examples: errors and losses of every member, in evaluation mode."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.engine.population import Population
from heldout.engine.subject import Examples, Loss


def errors(population: Population, x: Tensor, y: Tensor, *, x_per_member: bool = False) -> Tensor:
    """Share of examples that each member gets wrong.

    Args:
        population: The networks, with outputs ``[N, C]``.
        x: Inputs ``[N, ...]``, or ``[M, N, ...]`` where ``x_per_member``.
        y: Classes ``[N]`` or ``[M, N]``.
        x_per_member: Whether every member has inputs of its own.

    Returns:
        ``[M]``, float64.

    Example:
        >>> population = Population([torch.nn.Linear(2, 3)] * 4)
        >>> errors(population, torch.zeros(5, 2), torch.zeros(5, dtype=torch.int64)).shape
        torch.Size([4])
    """
    return (population(x, per_member=x_per_member).argmax(-1) != y.to(population.device)).double().mean(1)


def mean_losses(population: Population, examples: Examples, loss: Loss) -> Tensor:
    """Mean loss of each member.

    Args:
        population: The networks.
        examples: Inputs and labels, which may differ per member.
        loss: One an example.

    Returns:
        ``[M]``, float64.
    """
    outputs = population(examples.x, per_member=examples.x_per_member).double()
    labels = examples.labels(len(population)).to(outputs.device)
    return torch.stack([loss.per_example(one, y).mean() for one, y in zip(outputs, labels, strict=True)])


def members_of(population: Population, members: list[int]) -> Population:
    """Some members of a population, as a population.

    Args:
        population: All.
        members: Their places.

    Returns:
        Those, in this order.
    """
    return population.with_tensors(
        tree_map(lambda tensor: tensor[members], population.parameters),
        tree_map(lambda tensor: tensor[members], population.buffers),
    )


def joined(populations: Sequence[Population]) -> Population:
    """Populations of one architecture as one, in their order.

    Args:
        populations: At least one.

    Returns:
        All their members.
    """
    first = populations[0]
    return first.with_tensors(
        {name: torch.cat([each.parameters[name] for each in populations]) for name in first.parameters},
        {name: torch.cat([each.buffers[name] for each in populations]) for name in first.buffers},
    )
