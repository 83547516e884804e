"""Tensors of every member: in one row, by name, and as arguments of one function."""

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


def in_rows(tensors: Tensors, shapes: Tensors) -> Tensor:
    """All tensors of a member in one row: a few operations on it take the place of some on every tensor.

    Args:
        tensors: Name -> ``[M, ...]``, or what expands to it.
        shapes: Name -> ``[M, ...]``, in the order of the row.

    Returns:
        ``[M, P]``.
    """
    return torch.cat([tensors[name].expand_as(like).reshape(len(like), -1) for name, like in shapes.items()], dim=1)


def by_name(rows: Tensor, shapes: Tensors) -> dict[str, Tensor]:
    """The tensors of such rows.

    Args:
        rows: ``[M, P]``.
        shapes: Name -> ``[M, ...]``.

    Returns:
        Name -> ``[M, ...]``, views where the precision is the same.
    """
    pieces = torch.split(rows, [like[0].numel() for like in shapes.values()], dim=1)
    return {
        n: piece.reshape(like.shape).to(like.dtype) for (n, like), piece in zip(shapes.items(), pieces, strict=True)
    }
