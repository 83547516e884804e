"""Tensors among the parts of work that is under way. A file of its own: who only reads a store need not load torch."""

import json
import struct
from collections.abc import Mapping
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from heldout.engine.store.segments import publish
from heldout.engine.store.store import Store


def keep_tensors(store: Store, key: str, name: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Keep tensors, in place of those that were kept under this name.

    Args:
        store: Where.
        key: Of the work.
        name: Of the part.
        tensors: Name -> tensor.
        about: What is no tensor, in plain values; stands in the file's header.
    """
    publish(store.files, f"{store.path}/parts/{key}/{name}.safetensors", with_header(tensors, "about", about))


def kept_tensors(store: Store, key: str, name: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """What :func:`keep_tensors` kept.

    Args:
        store: Where.
        key: Of the work.
        name: Of the part.

    Returns:
        Tensors and plain values; None if nothing was kept.

    Example:
        >>> import torch
        >>> store = Store("memory://tensors-of-an-example")
        >>> keep_tensors(store, "work", "chains", {"w": torch.ones(2)}, {"draws": 3})
        >>> kept_tensors(store, "work", "chains"), kept_tensors(store, "work", "others")
        (({'w': tensor([1., 1.])}, {'draws': 3}), None)
    """
    place = f"{store.path}/parts/{key}/{name}.safetensors"
    if not store.files.exists(place):
        return None
    content = store.files.cat_file(place)
    return load(content), header(content, "about")


def with_header(tensors: Mapping[str, Tensor], entry: str, about: Mapping[str, Any]) -> bytes:
    """A safetensors file that says in its header what its tensors are.

    Args:
        tensors: Name -> tensor, on any device.
        entry: Of the header. There is one: several would be written in any order.
        about: Plain values.

    Returns:
        Its bytes; the same for the same content.
    """
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(held, metadata={entry: json.dumps(about, sort_keys=True)})


def header(content: bytes, entry: str) -> dict[str, Any]:
    """What :func:`with_header` wrote beside the tensors.

    Args:
        content: Of the file.
        entry: Of its header.

    Returns:
        Plain values.
    """
    (length,) = struct.unpack("<Q", content[:8])
    found: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][entry])
    return found
