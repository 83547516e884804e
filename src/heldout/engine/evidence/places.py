"""Places inside a network where a tensor can be seen and changed, in the order in which they come."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from heldout.engine.population import Inputs, Population, weight_layers
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Cut:
    """A place inside a network.

    Attributes:
        module: Its name, as in ``named_modules``.
        after: Whether the place is the module's output; otherwise its input.
        example_axis: Axis on which the examples lie.
        groups: How many rows of that axis belong to one example; above 1 where a network folds positions into it.
        shape: Of the tensor for one example.
    """

    module: str
    after: bool
    example_axis: int
    groups: int
    shape: tuple[int, ...]

    @property
    def place(self) -> str:
        """Its name: the module's, with ``(input)`` where it is that."""
        return self.module if self.after else f"{self.module} (input)"

    def zeros(self, examples: int, like: Tensor) -> Tensor:
        """Zeros of the shape that the tensor has for so many examples."""
        shape = list(self.shape)
        shape[self.example_axis] *= examples
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def rows(self, tensor: Tensor) -> Tensor:
        """One flat row an example, ``[n, F]``."""
        first = tensor.movedim(self.example_axis, 0)
        return first.reshape(first.shape[0] // self.groups, -1)


def places_of(population: Population, probe: Inputs) -> tuple[list[str], list[list[Cut]]]:
    """Places between every two weight layers in the order of their first calls, from the output of the one on.

    Args:
        population: The networks.
        probe: One example, leaves ``[1, ...]``.

    Returns:
        The weight layers' modules, and for every one but the last the inputs and outputs of modules that follow it and stand no
        later than the input of the next.
    """
    owners = dict.fromkeys(layer.module for layer in weight_layers(population))
    seen = [_events(population, probe, copies) for copies in (2, 3)]
    order = [name for name, after in seen[0] if not after and name in owners]
    # of nested owners the innermost called count: a network that owns a table of positions is no layer
    called = [n for n in order if not any(other != n and other.startswith(f"{n}." if n else "") for other in order)]
    events = list(seen[0])
    intervals = []
    for one, following in pairwise(called):
        between = events[events.index((one, True)) : events.index((following, False)) + 1]
        cuts = [_cut(event, seen[0][event], seen[1][event]) for event in between if event in seen[1]]
        intervals.append([cut for cut in cuts if cut is not None])
    return called, intervals


def _cut(event: tuple[str, bool], two: Tensor | None, three: Tensor | None) -> Cut | None:
    if two is None or three is None or not two.is_floating_point() or two.ndim < 2 or two.ndim != three.ndim:
        return None
    axes = [axis for axis in range(two.ndim) if two.shape[axis] != three.shape[axis]]
    if len(axes) != 1:
        return None
    groups = two.shape[axes[0]] // 2
    shape = tuple(groups if axis == axes[0] else length for axis, length in enumerate(two.shape))
    return Cut(*event, axes[0], groups, shape)


def _events(population: Population, probe: Inputs, copies: int) -> dict[tuple[str, bool], Tensor | None]:
    """First inputs (False) and outputs (True) of all modules, in the order in which they come."""
    seen: dict[tuple[str, bool], Tensor | None] = {}

    def note(name: str, after: bool, tree: Any) -> None:
        tensors = [leaf for leaf in tree_flatten(tree)[0] if isinstance(leaf, Tensor)]
        seen.setdefault((name, after), tensors[0] if tensors else None)

    hooks = []
    for name, module in population.template.named_modules():
        before = lambda _m, args, keywords, name=name: note(name, False, (args, keywords))  # noqa: E731
        hooks.append(module.register_forward_pre_hook(before, with_kwargs=True))
        hooks.append(module.register_forward_hook(lambda _m, _a, output, name=name: note(name, True, output)))
    x = tree_map(lambda leaf: leaf.expand(copies, *leaf.shape[1:]), probe)
    try:
        with torch.no_grad(), vectorisable_kernels():
            population.call_one(*population.tensors(0), placed(x, population.device, population.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def last_input(population: Population, probe: Inputs) -> Cut | None:
    """What the last weight layer receives: the penultimate features.

    Args:
        population: The networks.
        probe: One example, leaves ``[1, ...]``.

    Returns:
        The place; None where there is one weight layer only, or examples are not to be told apart there.
    """
    _, places = places_of(population, probe)
    last = places[-1][-1:] if places else []
    return next((cut for cut in last if not cut.after), None)


@contextmanager
def intervening(template: nn.Module, changes: Mapping[Cut, Change]) -> Iterator[None]:
    """Put something in the place of hidden tensors while the network runs; of a module called twice, at the first call.

    Args:
        template: The module that runs.
        changes: Place -> function of the tensor there that gives the tensor in its stead.
    """
    done: set[Cut] = set()

    def once(cut: Cut, tree: Any) -> Any:
        if cut in done:
            return tree
        done.add(cut)
        leaves, form = tree_flatten(tree)
        tensor = next(leaf for leaf in leaves if isinstance(leaf, Tensor))
        new = changes[cut](tensor)
        # queries, keys and values of a self-attention are one and the same tensor
        return tree_unflatten([new if leaf is tensor else leaf for leaf in leaves], form)

    hooks = []
    for cut in changes:
        module = template.get_submodule(cut.module)
        if cut.after:
            hooks.append(module.register_forward_hook(lambda _m, _a, output, cut=cut: once(cut, output)))
        else:
            hook = lambda _m, args, keywords, cut=cut: once(cut, (args, keywords))  # noqa: E731
            hooks.append(module.register_forward_pre_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for one in hooks:
            one.remove()
