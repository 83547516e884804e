"""What a store keeps of a sweep beside its buckets: the factory's name and the data, so that its networks can be read again."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from safetensors.torch import load
from torch import nn
from torch.utils._pytree import tree_flatten, tree_unflatten, treespec_dumps, treespec_loads

from heldout._version import __version__
from heldout.engine.store import Store, address
from heldout.engine.store.segments import listed, publish
from heldout.engine.store.tensors import header, with_header
from heldout.engine.subject import Examples

MOST = 256 * 2**20  # bytes of data that a store takes in; larger data stay where they are and are named again


def name_of(network: Callable[..., nn.Module]) -> str:
    """The factory as ``package.module:function``, by which another process can import it.

    Args:
        network: The factory.

    Returns:
        Its name; empty for what was made inside a function, and for what stands in a file that was run itself.

    Example:
        >>> name_of(nn.Linear), name_of(lambda: nn.Linear(1, 1))
        ('torch.nn.modules.linear:Linear', '')
    """
    module, path = getattr(network, "__module__", ""), getattr(network, "__qualname__", "")
    if module == "__main__":  # a module that was run with python -m has a name all the same
        module = getattr(getattr(sys.modules["__main__"], "__spec__", None), "name", "")
    return "" if not module or not path or "<" in path else f"{module}:{path}"


def keep_sweep(
    store: Store,
    network: Callable[..., nn.Module],
    data: tuple[str, Examples],
    test: tuple[str, Examples | None],
    seed: int,
    buckets: Sequence[str],
) -> None:
    """Write what a reader needs beside the buckets; the same sweep writes the same.

    Args:
        store: Of the sweep.
        network: The factory.
        data: Digest and training examples.
        test: Digest and test examples, or ``("", None)``.
        seed: Of everything random.
        buckets: Their addresses.
    """
    for digest, examples in (data, test):
        place = f"{store.path}/data/{digest}.safetensors"
        if examples is not None and _size(examples) <= MOST and not store.files.exists(place):
            publish(store.files, place, packed(examples))
    about = {
        "heldout": __version__, "network": name_of(network), "data": data[0], "test": test[0], "seed": seed,
        "buckets": list(buckets),
    }  # fmt: skip
    content = json.dumps(about, sort_keys=True, indent=1).encode()
    place = f"{store.path}/sweeps/{address(buckets=list(buckets))}.json"
    if not store.files.exists(place):
        publish(store.files, place, content)


def sweeps_of(store: Store) -> dict[str, dict[str, Any]]:
    """The sweeps of a store.

    Args:
        store: Any.

    Returns:
        Name -> what :func:`keep_sweep` wrote of it.
    """
    folder = f"{store.path}/sweeps"
    return {
        name: json.loads(store.files.cat_file(f"{folder}/{name}.json")) for name in listed(store.files, folder, ".json")
    }


def kept_examples(store: Store, digest: str) -> Examples | None:
    """Data that the store took in.

    Args:
        store: Of the sweep.
        digest: Of the data.

    Returns:
        The examples; None where they were too large, or nobody wrote them.
    """
    place = f"{store.path}/data/{digest}.safetensors"
    return unpacked(store.files.cat_file(place)) if digest and store.files.exists(place) else None


def packed(examples: Examples) -> bytes:
    """Examples as a safetensors file; their form stands in its header.

    Args:
        examples: Any.

    Returns:
        Its bytes.
    """
    leaves, form = tree_flatten(examples.x)
    tensors = {f"x{place:06d}": leaf for place, leaf in enumerate(leaves)}
    about = {"form": treespec_dumps(form), "x": examples.x_per_member, "y": examples.y_per_member}
    return with_header({**tensors, "y": examples.y}, "examples", about)


def unpacked(content: bytes) -> Examples:
    """What :func:`packed` made.

    Args:
        content: Its bytes.

    Returns:
        The examples.

    Example:
        >>> import torch
        >>> unpacked(packed(Examples({"a": torch.ones(2, 3)}, torch.tensor([0, 1])))).x["a"].shape
        torch.Size([2, 3])
    """
    about, tensors = header(content, "examples"), load(content)
    leaves = [tensors[name] for name in sorted(tensors) if name != "y"]
    return Examples(
        tree_unflatten(leaves, treespec_loads(about["form"])),
        tensors["y"],
        about["x"],
        about["y"],
    )


def _size(examples: Examples) -> int:
    leaves, _ = tree_flatten((examples.x, examples.y))
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves)
