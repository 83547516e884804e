"""Parts of work that is under way: what a killed process had finished, for the next one to take up."""

import json
import struct
from collections.abc import Mapping
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from heldout.engine.store.segments import listed, publish
from heldout.engine.store.store import Store


def keep_part(store: Store, key: str, name: str, part: Mapping[str, Any]) -> None:
    """Keep one finished part.

    Args:
        store: Where.
        key: Of the work: the same key means the same subject, seed, settings and version.
        name: Of the part.
        part: Plain values.
    """
    content = json.dumps(part, ensure_ascii=False, allow_nan=False).encode()
    publish(store.files, f"{store.path}/parts/{key}/{name}.json", content)


def parts(store: Store, key: str) -> dict[str, dict[str, Any]]:
    """All finished parts of a piece of work.

    Args:
        store: Where.
        key: Of the work.

    Returns:
        Name -> part; empty if nobody began.
    """
    folder = f"{store.path}/parts/{key}"
    return {
        name: json.loads(store.files.cat_file(f"{folder}/{name}.json")) for name in listed(store.files, folder, ".json")
    }


def keep_tensors(store: Store, key: str, name: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Keep tensors, in place of those that were kept under this name.

    Args:
        store: Where.
        key: Of the work.
        name: Of the part.
        tensors: Name -> tensor.
        about: What is no tensor, in plain values; stands in the file's header.
    """
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(held, metadata={"about": json.dumps(about)})
    publish(store.files, f"{store.path}/parts/{key}/{name}.safetensors", content)


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
    (length,) = struct.unpack("<Q", content[:8])
    return load(content), json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["about"])


def drop_parts(store: Store, key: str) -> None:
    """Remove the parts of work whose record is written.

    Args:
        store: Where.
        key: Of the work.
    """
    folder = f"{store.path}/parts/{key}"
    if store.files.exists(folder):
        store.files.rm(folder, recursive=True)
