"""Weights from files that can never run code."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from heldout.engine.subject.loaded import reason
from heldout.records import Refusal

PICKLES = (".pt", ".pth", ".bin")
#: Under which training scripts nest the state dict, and what wrappers put before every name.
NESTS = ("state_dict", "model_state_dict", "model")
WRAPPERS = ("module.", "_orig_mod.")


def read_checkpoint(path: str, argument: str) -> dict[str, Tensor]:
    """A state dict from ``.safetensors``, or from ``.pt``, ``.pth``, ``.bin`` read as tensors only.

    A state dict may stand under ``state_dict``, ``model_state_dict`` or ``model``, and its names may begin with what
    ``DataParallel`` or ``torch.compile`` put before them.

    Args:
        path: The file.
        argument: The argument's name.

    Returns:
        Name -> tensor on the CPU.

    Raises:
        Refusal: If the file is absent, damaged, of another kind, or would run code when loaded.
    """
    place = Path(path)
    if not place.is_file():
        raise Refusal(
            given=f"{argument} was '{path}', {'a folder' if place.is_dir() else 'which is not there'}",
            expected="a checkpoint file",
            do="check the path",
        )
    kind = place.suffix.lower()
    if kind != ".safetensors" and kind not in PICKLES:
        raise Refusal(
            given=f"{argument} was '{path}'",
            expected=f"a file ending in .safetensors, {', '.join(PICKLES)}",
            do="save network.state_dict() with safetensors.torch.save_file or torch.save",
        )
    try:
        if kind == ".safetensors":
            content: Any = safetensors.torch.load_file(place, device="cpu")
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on pickle protocols: what is not read is refused below
                content = torch.load(place, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        # torch's own words advise weights_only=False; they must not reach the user.
        asked = re.search(r"GLOBAL ([\w.]*\w)", str(error))
        wish = f"asks for '{asked.group(1)}' when it is loaded" if asked else "holds more than tensors"
        raise Refusal(
            given=f"{argument} '{path}' {wish}, which could run code",
            expected="a file of tensors only",
            do="save network.state_dict() rather than the network, best with safetensors.torch.save_file",
        ) from error
    except (safetensors.SafetensorError, OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise Refusal(**_damaged(path, argument, error)) from error
    return _state_dict(content, path, argument)


def with_weights(network: nn.Module, tensors: Mapping[str, Tensor], path: str, argument: str) -> nn.Module:
    """The network with these weights.

    Args:
        network: Freshly made; it is changed.
        tensors: A state dict. A tied weight may stand in it once.
        path: Of the file, for the sentence.
        argument: The argument's name.

    Returns:
        The same network.

    Raises:
        Refusal: If names or shapes differ, with the first few of them.
    """
    ours = network.state_dict()
    tensors = {**tensors, **_tied(ours, tensors)}
    missing = [f"'{name}'" for name in ours if name not in tensors]
    strange = [f"'{name}'" for name in tensors if name not in ours]
    shapes = [
        f"'{name}' is {list(tensors[name].shape)} and not {list(tensor.shape)}"
        for name, tensor in ours.items()
        if name in tensors and isinstance(tensor, Tensor) and tensors[name].shape != tensor.shape
    ]
    parts = [
        f"{words}{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for words, names in (("it lacks ", missing), ("it has ", strange), ("", shapes))
        if names
    ]
    if parts:
        raise Refusal(
            given=f"{argument} '{path}' is of another architecture than the network ({'; '.join(parts)})",
            expected="the names and shapes of the network's state dict",
            do="pass the factory, with its --network-args, that this checkpoint was made with",
        )
    network.load_state_dict(tensors)
    return network


def _state_dict(content: Any, path: str, argument: str) -> dict[str, Tensor]:
    for nest in NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            content = content[nest]
            break
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        strangers = [k for k, v in content.items() if not isinstance(v, Tensor)] if isinstance(content, Mapping) else []
        held = "nothing" if isinstance(content, Mapping) and not content else f"a {type(content).__name__}"
        raise Refusal(
            given=f"{argument} '{path}' holds {held}" + (f" whose '{strangers[0]}' is no tensor" if strangers else ""),
            expected=f"a state dict of tensors, at the top or under {', '.join(NESTS)}",
            do="save network.state_dict()",
        )
    tensors = {str(name): tensor for name, tensor in content.items()}
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): tensor for name, tensor in tensors.items()}
    return tensors


def _tied(ours: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is absent because it shares memory with something that is there: safetensors keeps one name of a tied weight."""
    there = {_place(ours[name]): tensors[name] for name in tensors if name in ours and ours[name].numel()}
    return {
        name: there[_place(tensor)]
        for name, tensor in ours.items()
        if name not in tensors and isinstance(tensor, Tensor) and _place(tensor) in there
    }


def _place(tensor: Tensor) -> tuple[int, torch.Size, tuple[int, ...]]:
    return tensor.data_ptr(), tensor.shape, tensor.stride()


def _damaged(path: str, argument: str, error: Exception) -> dict[str, str]:
    given = f"{argument} '{path}' cannot be read ({reason(error)})"
    return {"given": given, "expected": "a whole checkpoint file", "do": "copy or save it again"}
