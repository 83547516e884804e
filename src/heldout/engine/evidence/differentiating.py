"""Outputs of a stack of networks that remember how they came about, so that they can be differentiated."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heldout.engine.population import Inputs, Population, inputs_at


def stacked_outputs(
    population: Population,
    parameters: Mapping[str, Tensor],
    buffers: Mapping[str, Tensor],
    x: Inputs,
    *,
    per_member: bool,
) -> Tensor:
    """Outputs of m networks with autograd's graph: all at once, or one by one where the architecture cannot be vectorised.

    Counts nothing, and leaves the choice of kernels (``vectorisable_kernels``) and of the grad mode to the caller.

    Args:
        population: Whose architecture it is.
        parameters: Name -> ``[m, ...]``.
        buffers: Name -> ``[m, ...]``.
        x: Leaves ``[N, ...]``, or ``[m, N, ...]`` where ``per_member``.
        per_member: Whether the networks have inputs of their own.

    Returns:
        ``[m, N, ...]``.
    """
    members = len(next(iter(parameters.values())))
    if members > 1 and _stackable(population, x, per_member):
        mapped = torch.vmap(population.call_one, in_dims=(0, 0, 0 if per_member else None))
        return mapped(dict(parameters), dict(buffers), x)
    rows = [
        population.call_one(
            {name: tensor[index] for name, tensor in parameters.items()},
            {name: tensor[index] for name, tensor in buffers.items()},
            inputs_at(x, index) if per_member else x,
        )
        for index in range(members)
    ]
    return torch.stack(rows)


def _stackable(population: Population, x: Inputs, per_member: bool) -> bool:
    """Networks that stand for several copies of one (batches, draws) are tried as a stack even where M is 1."""
    if len(population) > 1:
        return population.stackable(x, per_member=per_member)
    parameters, buffers = (
        {name: tensor[:1].expand(2, *tensor.shape[1:]) for name, tensor in part.items()}
        for part in (population.parameters, population.buffers)
    )
    return population.with_tensors(parameters, buffers).stackable(x, per_member=per_member)
