"""Networks that live in a random subspace around a starting point, as ordinary modules that the training engine can stack."""

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from heldout.engine.compression.projections import Projection
from heldout.engine.population import Population


class Subspace(nn.Module):
    """A network whose weights are a starting point plus a projection of few coordinates.

    The network inside is always in evaluation mode: its batch norms use their running statistics, and dropout is off, so that what
    is coded is one fixed function.

    Args:
        template: Structure of the network.
        start: Its parameters and buffers to start from.
        projection: From coordinates to weights.
    """

    def __init__(
        self, template: nn.Module, start: dict[str, Tensor], buffers: dict[str, Tensor], projection: Projection
    ) -> None:
        super().__init__()
        self.coordinates = nn.Parameter(torch.zeros(projection.dimension))
        for name, tensor in start.items():
            self.register_buffer(f"start/{name}".replace(".", "/"), tensor.detach().clone())
        for name, tensor in buffers.items():
            self.register_buffer(f"buffer/{name}".replace(".", "/"), tensor.detach().clone())
        self._names, self._kept = list(start), list(buffers)
        self._inside = (template.eval(), projection)  # a tuple: no submodule, so no parameter of its own

    def moved(self, coordinates: Tensor) -> dict[str, Tensor]:
        """The network's parameters at some coordinates.

        Args:
            coordinates: ``[d]``.

        Returns:
            Name -> tensor.
        """
        own = dict(self.named_buffers())
        starts = {name: own[f"start/{name}".replace(".", "/")] for name in self._names}
        pieces = torch.split(self._inside[1](coordinates), [tensor.numel() for tensor in starts.values()])
        return {
            name: tensor + piece.view(tensor.shape)
            for (name, tensor), piece in zip(starts.items(), pieces, strict=True)
        }

    def at(self, coordinates: Tensor, inputs: tuple[Tensor, ...], keywords: dict[str, Tensor]) -> Tensor:
        """The network's output at some coordinates.

        Args:
            coordinates: ``[d]``.
            inputs: Of the network.
            keywords: Of the network.

        Returns:
            Its output.
        """
        own = dict(self.named_buffers())
        kept = {name: own[f"buffer/{name}".replace(".", "/")] for name in self._kept}
        output: Tensor = functional_call(self._inside[0], {**self.moved(coordinates), **kept}, inputs, keywords)
        return output

    def forward(self, *inputs: Tensor, **keywords: Tensor) -> Tensor:
        """The network's output."""
        return self.at(self.coordinates, inputs, keywords)


class Quantised(Subspace):
    """The same with coordinates snapped to the nearest level of a codebook; gradients go straight through to both.

    Args:
        template: Structure of the network.
        start: Its parameters to start from.
        buffers: Its buffers.
        projection: From coordinates to weights.
        levels: Of the codebook.
        even: Whether they are evenly spaced around 0, so that their distance is all there is to learn.
    """

    def __init__(
        self, template: nn.Module, start: dict[str, Tensor], buffers: dict[str, Tensor], projection: Projection, levels: int,
        even: bool,
    ) -> None:  # fmt: skip
        super().__init__(template, start, buffers, projection)
        self.codebook = nn.Parameter(torch.ones(1) if even else torch.linspace(-1, 1, levels))
        self.register_buffer("grid", torch.arange(levels) - (levels - 1) / 2 if even else torch.ones(levels))

    def forward(self, *inputs: Tensor, **keywords: Tensor) -> Tensor:
        """The network's output at the snapped coordinates."""
        levels = self.codebook * self.get_buffer("grid")
        snapped = levels[nearest(self.coordinates.detach(), levels.detach())]
        through = snapped + self.coordinates - self.coordinates.detach()
        return self.at(through, inputs, keywords)


def nearest(coordinates: Tensor, codebook: Tensor) -> Tensor:
    """The nearest level of every coordinate.

    Args:
        coordinates: ``[..., d]``.
        codebook: ``[..., L]``.

    Returns:
        Places, ``[..., d]``.
    """
    return (coordinates[..., :, None] - codebook[..., None, :]).abs().argmin(-1)


def in_subspace(population: Population, projection: Projection, levels: int = 0, *, even: bool = False) -> Population:
    """Networks around their own starting points, as a population of subspaces.

    Args:
        population: The starting points.
        projection: Shared by all members.
        levels: Of the codebook; 0 for coordinates that are not quantised.
        even: Whether the levels are evenly spaced.

    Returns:
        The population; its parameters are coordinates (and codebooks) alone.
    """
    template = copy.deepcopy(population.template)
    projection = projection.to(population.device)

    def one(member: int) -> nn.Module:
        tensors = population.tensors(member)
        return (
            Quantised(template, *tensors, projection, levels, even)
            if levels
            else Subspace(template, *tensors, projection)
        )

    return Population([one(member) for member in range(len(population))], memory=population.memory)
