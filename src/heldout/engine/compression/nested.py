"""Subspaces of many dimensions in one stack: each takes the first coordinates of the same random map."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from heldout.engine.compression.projections import Projection
from heldout.engine.compression.subspaces import Subspace
from heldout.engine.population import Population


class Nested(Subspace):
    """A network in the subspace of the first few coordinates of a projection; the others stay at 0 whatever is done to them.

    Args:
        template: Structure of the network.
        start: Its parameters to start from.
        buffers: Its buffers.
        projection: From all coordinates to weights.
    """

    def __init__(
        self, template: nn.Module, start: dict[str, Tensor], buffers: dict[str, Tensor], projection: Projection
    ) -> None:
        super().__init__(template, start, buffers, projection)
        self.register_buffer("used", torch.ones(projection.dimension))

    def moved(self, coordinates: Tensor) -> dict[str, Tensor]:
        """The network's parameters at some coordinates, of which only the used ones count.

        Args:
            coordinates: ``[d]``.

        Returns:
            Name -> tensor.
        """
        return super().moved(coordinates * self.get_buffer("used"))


def nested_subspaces(population: Population, projection: Projection, dimensions: Sequence[int]) -> Population:
    """Every network in every subspace, as one population: member by member, in it dimension by dimension.

    Args:
        population: The starting points, in one precision.
        projection: With as many coordinates as the largest dimension.
        dimensions: How many of the first coordinates each subspace has.

    Returns:
        ``len(population) * len(dimensions)`` networks, coordinates at 0.

    Example:
        >>> from heldout.engine.compression.projections import dense
        >>> start = Population([nn.Linear(3, 2), nn.Linear(3, 2)])
        >>> nested_subspaces(start, dense(8, 4, seed=0), (1, 2, 4)).parameters["coordinates"].shape
        torch.Size([6, 4])
    """
    template, count = copy.deepcopy(population.template), len(dimensions)
    tensors = tuple(
        t.to(population.device, population.dtype if t.is_floating_point() else t.dtype) for t in projection.tensors
    )
    map_to = replace(projection, tensors=tensors)
    each = [
        Nested(template, *population.tensors(member), map_to).to(population.dtype) for member in range(len(population))
    ]
    alone = Population(each, memory=population.memory)
    used = (torch.arange(projection.dimension) < torch.tensor(dimensions).unsqueeze(1)).to(
        population.device, population.dtype
    )
    buffers = {name: stack.repeat_interleave(count, 0) for name, stack in alone.buffers.items()}
    buffers["used"] = used.repeat(len(population), 1)
    coordinates = alone.parameters["coordinates"].repeat_interleave(count, 0).to(population.device)
    return alone.with_tensors({"coordinates": coordinates}, buffers)
