"""What the layers represent: the input of every weight layer but the first, pooled, on some training examples."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.population import Inputs, Population, inputs_at, stream, weight_layers
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_EXAMPLES = 1000  # distances between classes settle long before: the PGDL winners used 120
FEWEST_EXAMPLES = 128
BYTES_A_NETWORK = 16 * 2**20  # what one network's representations may take before the examples are cut
NO_HIDDEN = "the network has no hidden layer between two weight layers"
INSTEAD = "use the readings of weights and outputs"
GRID = (
    4  # cells a side of a pooled map; the winning PGDL entry pooled by windows of 4 x 4, which small maps do not have
)


@dataclass(frozen=True, slots=True)
class Tap:
    """Where a representation is read.

    Attributes:
        module: The owner's name, as in ``named_modules``.
        example_axis: Axis of the captured tensor on which the examples lie.
        groups: How many rows of that axis belong to one example; above 1 where a network folds positions into it.
        maps: Whether channels come before positions, as convolutions read them.
    """

    module: str
    example_axis: int
    groups: int
    maps: bool


def has_hidden_layers(subject: Subject) -> None:
    """Demand a second weight layer.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there is one weight layer only.
    """
    if len(weight_layers(subject.population)) < 2:
        raise NotApplicable(NO_HIDDEN, do=INSTEAD)


@evidence(forward=1, requires=has_hidden_layers)
def representations(subject: Subject, seed: int, *, most: int = MOST_EXAMPLES) -> dict[str, Tensor]:
    """What each weight layer but the first receives, pooled, on some training examples.

    Maps of convolutions are pooled to 4 x 4 by their maxima and flattened, sequences averaged over their positions.
    Layers whose inputs no hook sees (a projection inside an attention) are left out.

    Args:
        subject: What is under study.
        seed: Of the choice of examples, which all members share.
        most: N' is at most this, and fewer where one network's representations would take more than 16 MiB (yet not
            below 128): the same for a member alone as in a population.

    Returns:
        Layer's name -> ``[M, N', F]``, in the order of first use, in the networks' precision.

    Raises:
        NotApplicable: If no layer receives anything that was computed before.
    """
    population, train = subject.population, subject.train
    taps, width = _taps(population, subject.probe)
    if not taps:
        raise NotApplicable(NO_HIDDEN, do=INSTEAD)
    fits = max(FEWEST_EXAMPLES, BYTES_A_NETWORK // (width * population.dtype.itemsize))
    chosen = _order(len(train), seed)[: min(most, fits)]
    _, block = population.chunks(train.x, per_member=train.x_per_member)
    columns: list[list[Tensor]] = []
    for start in range(0, len(chosen), block):
        few = train.take(chosen[start : start + block])
        columns.append(
            _captured(population, taps, placed(few.x, population.device, population.dtype), few.x_per_member)
        )
        population.tally.forward += len(few) * len(population)
    layers = zip(*columns, strict=True)
    return {tap.module: torch.cat(parts, dim=1) for tap, parts in zip(taps, layers, strict=True)}


@evidence(requires=is_classification)
def representation_labels(labels: Tensor, representations: dict[str, Tensor], seed: int) -> Tensor:
    """Labels of the examples in ``representations``, ``[M, N']``."""
    count = next(iter(representations.values())).shape[1]
    return labels[:, _order(labels.shape[1], seed)[:count].to(labels.device)]


@evidence()
def representation_classes(representation_labels: Tensor) -> Tensor:
    """The same one-hot, ``[M, N', C']``, float64, over the C' classes that occur in any member's labels."""
    occurring, number = torch.unique(representation_labels, return_inverse=True)
    return F.one_hot(number, len(occurring)).double()


def _order(examples: int, seed: int) -> Tensor:
    return torch.randperm(examples, generator=stream(seed, "representations"))


@contextmanager
def _watching(template: nn.Module, modules: list[str], seen: dict[str, Tensor]) -> Iterator[None]:
    """Fill ``seen`` with the first input of every module, in the order of first calls."""

    def watch(name: str) -> Any:
        def hook(_module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
            tensors = [leaf for leaf in tree_leaves((arguments, keywords)) if isinstance(leaf, Tensor)]
            if name not in seen and tensors:
                seen[name] = tensors[0]

        return hook

    hooks = [template.get_submodule(name).register_forward_pre_hook(watch(name), with_kwargs=True) for name in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _taps(population: Population, probe: Inputs) -> tuple[list[Tap], int]:
    """Where to read, and how many numbers one example gives altogether."""
    kernels: dict[str, int] = {}
    for layer in weight_layers(population):
        kernels.setdefault(layer.module, population.parameters[layer.name].ndim - 1)
    seen: list[dict[str, Tensor]] = []
    for copies in (2, 3):  # the axis whose length follows the number of examples is theirs
        x = tree_map(lambda leaf: leaf.expand(copies, *leaf.shape[1:]), probe)  # noqa: B023 - used at once
        inputs: dict[str, Tensor] = {}
        with torch.no_grad(), vectorisable_kernels(), _watching(population.template, list(kernels), inputs):
            population.call_one(*population.tensors(0), placed(x, population.device, population.dtype))
        seen.append(inputs)
    # A network that owns a weight itself (a table of positions) is no layer: of nested owners the innermost called count.
    called = [n for n in seen[0] if not any(other != n and other.startswith(f"{n}." if n else "") for other in seen[0])]
    taps, width = [], 0
    for name in called[1:]:
        two, three = seen[0][name], seen[1][name]
        axes = [axis for axis in range(two.ndim) if two.shape[axis] != three.shape[axis]]
        if len(axes) == 1 and two.ndim > 1 and two.is_floating_point():
            tap = Tap(name, axes[0], two.shape[axes[0]] // 2, two.ndim == kernels[name] > 2)
            taps.append(tap)
            width += _pooled(two, tap).shape[1]
    return taps, width


def _captured(population: Population, taps: list[Tap], x: Inputs, per_member: bool) -> list[Tensor]:
    """The pooled representations of a block of examples, one ``[M, n, F]`` a tap."""

    def inputs_of_layers(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs) -> tuple[Tensor, ...]:
        seen: dict[str, Tensor] = {}
        with _watching(population.template, [tap.module for tap in taps], seen):
            population.call_one(parameters, buffers, x)
        return tuple(_pooled(seen[tap.module], tap) for tap in taps)

    members = len(population)
    with vectorisable_kernels():
        if members > 1 and population.stackable(x, per_member=per_member):
            together, _ = population.chunks(x, per_member=per_member)
            stacked = torch.vmap(inputs_of_layers, in_dims=(0, 0, 0 if per_member else None), chunk_size=together)
            return list(stacked(population.parameters, population.buffers, x))
        rows = [
            inputs_of_layers(*population.tensors(member), inputs_at(x, member) if per_member else x)
            for member in range(members)
        ]
    return [torch.stack(parts) for parts in zip(*rows, strict=True)]


def _pooled(x: Tensor, tap: Tap) -> Tensor:
    """One vector an example, ``[n, F]``."""
    x = x.movedim(tap.example_axis, 0)
    if tap.groups > 1:
        x = x.reshape(-1, tap.groups, *x.shape[1:])
        return x.flatten(1, -2).mean(1) if x.ndim > 2 else x
    if x.ndim < 3:
        return x
    if not tap.maps:
        return x.flatten(1, -2).mean(1)
    if x.ndim == 3:
        return x.mean(-1)
    pool = F.adaptive_max_pool2d if x.ndim == 4 else F.adaptive_max_pool3d
    size = [min(GRID, length) for length in x.shape[2:]]
    return pool(x, size).flatten(1)
