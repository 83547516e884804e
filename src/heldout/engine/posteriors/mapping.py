"""One function for every member: vectorised where the architecture allows it, one after the other otherwise."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from heldout.engine.population import Population, inputs_at
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Examples

Tensors = Mapping[str, Tensor]


def of_members(
    function: Callable[[Tensors, Any, Tensor], Tensor], population: Population, own: Tensors, batch: Examples
) -> Tensor:
    """A function of each member's tensors and its examples.

    Args:
        function: Of one member's tensors, inputs and labels; what all members share is in its closure.
        population: Says whether the architecture can be vectorised.
        own: Name -> ``[M, ...]``.
        batch: Examples, of all or of each member.

    Returns:
        Results ``[M, ...]``.
    """
    members = len(next(iter(own.values())))
    labels = batch.labels(members)
    with vectorisable_kernels():
        if members > 1 and population.stackable(batch.x, per_member=batch.x_per_member):
            mapped = torch.vmap(function, in_dims=(0, 0 if batch.x_per_member else None, 0))
            result: Tensor = mapped(dict(own), batch.x, labels)
            return result
        rows = [
            function(
                {name: tensor[member] for name, tensor in own.items()},
                inputs_at(batch.x, member) if batch.x_per_member else batch.x,
                labels[member],
            )
            for member in range(members)
        ]
    return torch.stack(rows)
