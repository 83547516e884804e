"""How a network is called: tensors, tuples, dictionaries and keywords go in; one tensor comes out."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map

from heldout.records import Refusal

Inputs = Any  # a tensor, or a tuple, list or dictionary of tensors; every leaf has the examples as its first axis


def takes_keywords(module: nn.Module, keys: list[str]) -> bool:
    """Whether a dictionary with these keys is meant as keyword arguments of the network's ``forward``.

    Args:
        module: The network.
        keys: The dictionary's keys.

    Returns:
        True if ``forward`` names every key, or takes any keyword (as wrappers do) and asks for nothing beside them.
    """
    parameters = inspect.signature(module.forward).parameters.values()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return {p.name for p in named if p.default is p.empty} <= set(keys)
    return set(keys) <= {p.name for p in named}


def arguments_for(module: nn.Module, inputs: Inputs) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and keyword arguments with which inputs are given to a network.

    Args:
        module: The network.
        inputs: A tensor; a tuple or list (positional arguments); a dictionary (keyword arguments where ``forward`` names
            its keys, one dictionary argument otherwise).

    Returns:
        Positional and keyword arguments.
    """
    if isinstance(inputs, dict):
        return ((), inputs) if takes_keywords(module, list(inputs)) else ((inputs,), {})
    return (tuple(inputs), {}) if isinstance(inputs, (tuple, list)) else ((inputs,), {})


def call_module(module: nn.Module, inputs: Inputs) -> Tensor:
    """Call an ordinary module on inputs of any accepted form and give back its one output tensor.

    Args:
        module: The network.
        inputs: As in :func:`arguments_for`.

    Returns:
        The output tensor; of a record, its ``logits``; of a tuple, its first entry.
    """
    arguments, keywords = arguments_for(module, inputs)
    return only_tensor(module(*arguments, **keywords))


def only_tensor(output: Any) -> Tensor:
    """The tensor among the usual forms of a network's output.

    Args:
        output: A tensor, a record or dictionary with ``logits``, or a tuple whose first entry is a tensor.

    Returns:
        That tensor.

    Raises:
        Refusal: If there is none.
    """
    if isinstance(output, Tensor):
        return output
    if isinstance(output, dict) and isinstance(output.get("logits"), Tensor):
        return output["logits"]
    if isinstance(getattr(output, "logits", None), Tensor):
        return output.logits
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        return output[0]
    raise Refusal(
        given=f"the network's output was a {type(output).__name__}",
        expected="a tensor, a record with 'logits', or a tuple whose first entry is a tensor",
        do="wrap the network in a module that returns its scores",
    )


def examples_in(inputs: Inputs, *, per_member: bool = False) -> int:
    """How many examples the inputs hold.

    Args:
        inputs: Leaves ``[N, ...]``, or ``[M, N, ...]`` where ``per_member``.
        per_member: Whether the leaves lead with the members.

    Returns:
        N.
    """
    return int(tree_leaves(inputs)[0].shape[1 if per_member else 0])


def inputs_at(inputs: Inputs, index: int | slice | Tensor, *, per_member: bool = False) -> Inputs:
    """The inputs of some examples.

    Args:
        inputs: Leaves ``[N, ...]``, or ``[M, N, ...]`` where ``per_member``.
        index: Which examples.
        per_member: Whether the leaves lead with the members.

    Returns:
        Inputs of the same form with fewer examples.
    """
    return tree_map(lambda leaf: leaf[:, index] if per_member else leaf[index], inputs)


def placed(inputs: Inputs, device: torch.device, dtype: torch.dtype) -> Inputs:
    """Inputs on the network's device, floating-point leaves in its precision.

    Args:
        inputs: Any accepted form.
        device: Where the network is.
        dtype: The network's floating-point precision.

    Returns:
        Inputs of the same form.
    """
    return tree_map(lambda leaf: leaf.to(device, dtype if leaf.is_floating_point() else leaf.dtype), inputs)
