"""A function of one network and its inputs, for all members at once and block by block."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils._pytree import tree_map

from heldout.engine.population import Inputs, Population, inputs_at
from heldout.engine.population.calling import examples_in, placed
from heldout.engine.population.vectorising import vectorisable_kernels


def blocks_of(population: Population, x: Inputs, *, per_member: bool) -> Iterator[tuple[slice, Inputs]]:
    """Inputs cut to what the memory allows, on the networks' device.

    Args:
        population: The networks.
        x: Leaves ``[n, ...]``, or ``[M, n, ...]`` where ``per_member``.
        per_member: Whether members have inputs of their own.

    Yields:
        Which examples, and their inputs.
    """
    _, block = population.chunks(x, per_member=per_member)
    examples = examples_in(x, per_member=per_member)
    for start in range(0, examples, block):
        few = slice(start, min(start + block, examples))
        yield few, placed(inputs_at(x, few, per_member=per_member), population.device, population.dtype)


def by_member(
    population: Population, function: Callable[..., Any], x: Inputs, *own: Any, per_member: bool = False
) -> Any:
    """Values of the function for every member; nothing is counted.

    Args:
        population: The networks.
        function: Of one member's parameters, buffers, inputs ``[n, ...]`` and what else is its own; it may take gradients by
            ``torch.func`` and put hooks on the template.
        x: Inputs of a block.
        *own: Tensors with a leading axis M.
        per_member: Whether members have inputs of their own.

    Returns:
        What the function returns, tensors with a leading axis M.
    """
    with torch.no_grad(), vectorisable_kernels():
        if len(population) > 1 and population.stackable(x, per_member=per_member):
            together, _ = population.chunks(x, per_member=per_member)
            axes = (0, 0, 0 if per_member else None, *(0 for _ in own))
            return torch.vmap(function, in_dims=axes, chunk_size=together)(
                population.parameters, population.buffers, x, *own
            )
        rows = [
            function(*population.tensors(m), inputs_at(x, m) if per_member else x, *(each[m] for each in own))
            for m in range(len(population))
        ]
    return tree_map(lambda *leaves: torch.stack(leaves), *rows)
