"""How often ReLU units change their sign around a point: local complexity."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from heldout.catalog import evidence
from heldout.engine.population import Population, stream
from heldout.engine.population.calling import inputs_at, placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

KINKED = (nn.ReLU, nn.LeakyReLU, nn.PReLU)  # linear on both sides of 0
DIRECTIONS = 12
RADIUS = 0.005
MOST_POINTS = 256
INSTEAD = "use the readings of sharpness and margins"


def has_kinks(subject: Subject) -> None:
    """Demand ReLU modules, and inputs around which there is a neighbourhood.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there are none, or the inputs are not one tensor of numbers.
    """
    if not any(isinstance(module, KINKED) for module in subject.population.template.modules()):
        raise NotApplicable("the network has no ReLU module whose sign could be seen", do=INSTEAD)
    if not (isinstance(subject.train.x, Tensor) and subject.train.x.is_floating_point()):
        raise NotApplicable("the inputs are no single tensor of numbers that could be moved a little", do=INSTEAD)


@evidence(forward=2, requires=has_kinks)
def local_complexities(subject: Subject, seed: int) -> Tensor:
    """Sign changes of ReLU units around some training points, ``[M, n]``.

    As many points, at most 256, as two sweeps over the training set pay for; all members see the same ones.

    Args:
        subject: What is under study.
        seed: Of the choice of points and directions.

    Returns:
        Counts, float64.
    """
    train = subject.train
    directions = orthonormal(subject.probe[0].numel(), DIRECTIONS, seed)
    points = min(MOST_POINTS, len(train), max(1, len(train) // len(directions)))
    chosen = torch.randperm(len(train), generator=stream(seed, "neighbourhoods"))[:points]
    few = train.take(chosen)
    return sign_changes(subject.population, few.x, directions, RADIUS, per_member=few.x_per_member)


def orthonormal(entries: int, count: int, seed: int) -> Tensor:
    """Random orthonormal directions.

    Args:
        entries: Of an input.
        count: How many, where there are so many.
        seed: Of the draw.

    Returns:
        ``[min(count, entries), entries]``, float64.
    """
    drawn = torch.randn(entries, min(count, entries), generator=stream(seed, "directions"), dtype=torch.float64)
    return torch.linalg.qr(drawn).Q.T.contiguous()


def sign_changes(
    population: Population, x: Tensor, directions: Tensor, radius: float, *, per_member: bool = False
) -> Tensor:
    """Units of ReLU modules whose sign is not the same at all vertices ``x + r d`` and ``x - r d``, counted.

    Args:
        population: The networks.
        x: Points ``[n, ...]``, or ``[M, n, ...]`` where ``per_member``.
        directions: ``[D, entries of a point]``.
        radius: r.
        per_member: Whether members have points of their own.

    Returns:
        ``[M, n]``, float64.
    """
    shape = x.shape[2:] if per_member else x.shape[1:]
    moves = radius * torch.cat([directions, -directions]).reshape(-1, *shape).to(x)
    _, block = population.chunks(x, per_member=per_member)
    at_once, points = max(1, block // len(moves)), x.shape[1 if per_member else 0]
    columns = []
    for start in range(0, points, at_once):
        few = inputs_at(x, slice(start, start + at_once), per_member=per_member)
        vertices = (few.unsqueeze(-len(shape) - 1) + moves).flatten(int(per_member), int(per_member) + 1)
        placed_vertices = placed(vertices, population.device, population.dtype)
        columns.append(_counted(population, placed_vertices, len(moves), per_member))
        population.tally.forward += vertices.shape[int(per_member)] * len(population)
    return torch.cat(columns, dim=1)


@contextmanager
def _watching(template: nn.Module, seen: list[Tensor]) -> Iterator[None]:
    """Keep which inputs of ReLU modules are positive, before a module that works in place changes them."""

    def hook(_module: nn.Module, arguments: tuple[Any, ...]) -> None:
        seen.append(arguments[0] > 0)

    hooks = [module.register_forward_pre_hook(hook) for module in template.modules() if isinstance(module, KINKED)]
    try:
        yield
    finally:
        for one in hooks:
            one.remove()


def _counted(population: Population, vertices: Tensor, count: int, per_member: bool) -> Tensor:
    """Changes at every point ``[M, n]`` from the vertices of all points ``[n * count, ...]``."""

    def changes(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        seen: list[Tensor] = []
        with _watching(population.template, seen):
            population.call_one(parameters, buffers, x)
        signs = torch.cat([positive.reshape(len(x), -1) for positive in seen], dim=1)
        each = signs.reshape(-1, count, signs.shape[1])
        return (each.any(1) & ~each.all(1)).sum(-1).double()

    with torch.no_grad(), vectorisable_kernels():
        if len(population) > 1 and population.stackable(vertices, per_member=per_member):
            together, _ = population.chunks(vertices, per_member=per_member)
            mapped = torch.vmap(changes, in_dims=(0, 0, 0 if per_member else None), chunk_size=together)
            return mapped(population.parameters, population.buffers, vertices)
        rows = [
            changes(*population.tensors(member), vertices[member] if per_member else vertices)
            for member in range(len(population))
        ]
    return torch.stack(rows)
