"""What decides a bucket's rows, in plain values: the same in every process, for content addresses."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from heldout._version import __version__
from heldout.engine.subject import as_examples
from heldout.engine.sweeping.grids import Bucket
from heldout.engine.training import Recipe


def described(recipe: Recipe) -> dict[str, Any]:
    """A recipe in plain values, for the address.

    Args:
        recipe: Any.

    Returns:
        Field -> value; callables and interventions by name and settings.
    """
    plain = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    plain["loss"] = content_of(plain["loss"])
    plain["interventions"] = [content_of(piece) for piece in recipe.interventions]
    return plain


def content_of(value: Any) -> Any:
    """A setting in plain values, the same in every process: tensors by their bits, functions by their text.

    Args:
        value: Plain, a tensor, a function, a dataclass, or a mapping or sequence of such.

    Returns:
        What JSON holds.
    """
    if isinstance(value, torch.Tensor):
        array = _array(value)
        return f"{array.dtype}{array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, {each.name: content_of(getattr(value, each.name)) for each in fields(value)}]
    if isinstance(value, Mapping):
        return {str(key): content_of(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [content_of(entry) for entry in value]
    if isinstance(value, partial):
        return ["partial", content_of(value.func), content_of(value.args), content_of(value.keywords)]
    if isinstance(value, nn.Module):
        return [repr(value), content_of(dict(value.state_dict()))]
    if value is None or isinstance(value, str | int | float):
        return value
    return _text(value)


def _text(thing: Any) -> Any:
    """A function or class by its source and what it closes over; where there is no source by its name."""
    name = f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', type(thing).__name__)}"
    try:
        source = inspect.getsource(thing)
    except (OSError, TypeError):
        return name if inspect.isroutine(thing) or isinstance(thing, type) else [name, content_of(dict(vars(thing)))]
    inside = [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    return [source, content_of(inside)] if inside else source


def identity_of(
    network: Callable[..., nn.Module],
    data: Any,
    test: Any,
    record: Sequence[str],
    every: str | int | Sequence[int],
    seed: int,
) -> dict[str, Any]:
    """Everything that decides the rows of every bucket, in plain values.

    Args:
        network: Factory.
        data: Training data.
        test: Test data.
        record: Measures that are read.
        every: When.
        seed: Of everything random.

    Returns:
        For the address.
    """
    return {
        "heldout": __version__,
        # by its text where there is one: the same factory is called another module's when its file is run as a program
        "network": content_of(network),
        "data": digest_of(data),
        "test": digest_of(test),
        "record": list(record),
        "every": every if isinstance(every, str | int) else list(every),
        "seed": seed,
    }


def identity_of_bucket(bucket: Bucket) -> dict[str, Any]:
    """Everything that decides the rows of one bucket beyond what all share.

    Args:
        bucket: Any.

    Returns:
        For the address.
    """
    return {
        "arguments": dict(bucket.arguments),
        "recipe": described(bucket.recipe),
        "members": [dict(settings) for settings in bucket.settings],
    }


def digest_of(data: Any) -> str:
    """The content of data as one word.

    Args:
        data: In any form that a Subject takes, or None.

    Returns:
        SHA-256 of inputs and labels; empty for None.
    """
    if data is None:
        return ""
    examples, digest = as_examples(data, "data"), hashlib.sha256()
    for leaf in [*tree_leaves(examples.x), examples.y]:
        array = _array(leaf)
        digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _array(tensor: torch.Tensor) -> "np.ndarray[Any, Any]":
    """As NumPy holds it; bfloat16, which it does not know, by its bits."""
    plain = tensor.detach().cpu().contiguous()
    return np.ascontiguousarray((plain.view(torch.int16) if plain.dtype == torch.bfloat16 else plain).numpy())
