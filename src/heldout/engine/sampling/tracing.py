"""A function of tensors as the flat list of operations that it amounts to, for calls that repeat thousands of times."""

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.node import map_arg
from torch.utils._pytree import TreeSpec, tree_flatten, tree_leaves, tree_unflatten

CALLS = 50  # with tensors of the same shapes, after which recording pays
TOLERANCE = 1e-4  # relative to the largest entry
FILLED = {torch.ops.aten.ones_like.default: 1, torch.ops.aten.zeros_like.default: 0}  # of a tensor's shape alone


class _Recording(NamedTuple):
    graph: torch.fx.GraphModule
    form: TreeSpec  # of what is returned


@dataclass(slots=True, eq=False)
class Repeated:
    """A function that is recorded once it has been called often enough with tensors of the same shapes.

    What is replayed are the kernels that the call would have run, without the layers of Python, vectorisation and
    differentiation above them: of a gradient of small networks on a minibatch these are most of the time. A recording that fails, or
    whose results differ from the call's, is never used.

    Args:
        function: Of trees of tensors, without side effects, whose course does not depend on the tensors' values.
        calls: Before it is recorded.

    Example:
        >>> double = Repeated(lambda x: 2 * x, calls=1)
        >>> [double(torch.ones(2)).tolist() for _ in range(3)], double.recordings
        ([[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]], 1)
    """

    function: Callable[..., Any]
    calls: int = CALLS
    _seen: dict[Hashable, int] = field(default_factory=dict)
    _recorded: dict[Hashable, _Recording | None] = field(default_factory=dict)

    @property
    def recordings(self) -> int:
        """How many are in use."""
        return sum(each is not None for each in self._recorded.values())

    def __call__(self, *arguments: Any) -> Any:
        """The function's value.

        Args:
            arguments: Trees of tensors.

        Returns:
            A tree of tensors.
        """
        leaves, form = tree_flatten(arguments)
        key = (form, *((leaf.shape, leaf.dtype, leaf.device) for leaf in leaves))
        replay = self._recorded.get(key)
        if replay is not None:
            return tree_unflatten(replay.graph.forward(*leaves), replay.form)
        found = self.function(*arguments)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] == self.calls:
            self._recorded[key] = _recording(self.function, leaves, form, found)
        return found


def _recording(function: Callable[..., Any], arguments: list[Tensor], form: TreeSpec, found: Any) -> _Recording | None:
    def flat(*leaves: Tensor) -> list[Tensor]:
        return tree_leaves(function(*tree_unflatten(leaves, form)))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what there is to say was said when the function itself was called
            graph = make_fx(flat)(*arguments)
            _shorten(graph)
        again = graph.forward(*arguments)
    except Exception:  # whatever a stranger's module does that cannot be recorded: it is called as before
        return None
    outputs, form = tree_flatten(found)
    return _Recording(graph, form) if all(map(_close, outputs, again)) else None


def _shorten(graph: torch.fx.GraphModule) -> None:
    """Leave out what changes nothing, and add a bias in the product before it: small tensors wait for every single call."""
    aten = torch.ops.aten
    same = (aten.expand.default, aten.view.default, aten._unsafe_view.default, aten.detach.default)
    for node in graph.graph.nodes:
        if node.op != "call_function":
            continue
        first = node.args[0] if node.args else None
        idle = node.target in same and _shape(first) == _shape(node) is not None
        if idle or (node.target is aten.mul.Scalar and node.args[1] == 1):
            node.replace_all_uses_with(first)
            graph.graph.erase_node(node)  # or it would count among the users of what it repeats
        elif node.target is aten.add.Tensor and len(node.args) == 2 and not node.kwargs:
            bias, product = node.args
            lone = isinstance(product, torch.fx.Node) and product.target is aten.bmm.default and len(product.users) == 1
            shapes = _shape(bias), _shape(product)
            if lone and shapes[0] and len(shapes[0]) == 3 and _dtype(bias) == _dtype(product):
                node.target, node.args = aten.baddbmm.default, (bias, *product.args)
    graph.graph.eliminate_dead_code()
    _fold(graph)
    graph.recompile()


def _fold(graph: torch.fx.GraphModule) -> None:
    """Compute now what depends on no argument, such as the ones that differentiation starts from."""
    calls = [node for node in graph.graph.nodes if isinstance(node.target, torch._ops.OpOverload)]
    known: dict[torch.fx.Node, Tensor] = {}
    for node in calls:
        fill = FILLED.get(node.target)
        if fill is not None:
            like = node.meta["val"]
            known[node] = torch.full(like.shape, fill, dtype=like.dtype, device=like.device)
        elif torch.Tag.nondeterministic_seeded not in node.target.tags and all(
            map(known.__contains__, node.all_input_nodes)
        ):
            known[node] = node.target(*map_arg(node.args, known.__getitem__), **map_arg(node.kwargs, known.__getitem__))
    returned = next(node for node in graph.graph.nodes if node.op == "output").all_input_nodes
    if any(node.target._schema.is_mutable for node in calls) or any(map(known.__contains__, returned)):
        return  # somebody might write to a constant
    for number, (node, value) in enumerate(known.items()):
        if any(user not in known for user in node.users):
            graph.register_buffer(f"constant_{number}", value)
            with graph.graph.inserting_before(node):
                node.replace_all_uses_with(graph.graph.get_attr(f"constant_{number}"))
    graph.graph.eliminate_dead_code()


def _shape(node: Any) -> torch.Size | None:
    found = node.meta.get("val") if isinstance(node, torch.fx.Node) else None
    return found.shape if isinstance(found, Tensor) else None


def _dtype(node: Any) -> torch.dtype | None:
    found = node.meta.get("val") if isinstance(node, torch.fx.Node) else None
    return found.dtype if isinstance(found, Tensor) else None


def _close(one: Tensor, other: Tensor) -> bool:
    scale = float(one.abs().max().nan_to_num(0.0)) if one.numel() else 0.0
    return torch.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE * scale, equal_nan=True)
