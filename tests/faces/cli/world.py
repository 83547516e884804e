"""A folder as a user has it: a module with factories, checkpoints, data; and ways to spoil each of them."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

#: Makes a file below a folder and gives the words for the command line.
Maker = Callable[[Path], str]

MODELS = """
import sys
import torch
from torch import nn

def mlp(width=5, outputs=2):
    return nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, outputs))

class Restless(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
    def forward(self, x):
        return self.layer(x) + torch.rand(1)

class Logarithm(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
    def forward(self, x):
        return torch.log(self.layer(x) * 0 - 1)

class Grumpy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
    def forward(self, x):
        raise RuntimeError("not today\\nnor tomorrow")

def broken():
    raise FileNotFoundError("config.yaml")

def leaves():
    sys.exit("goodbye")

def number():
    return 42

width = 5
"""

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)
X_TEST = RNG.normal(size=(16, 3)).astype(np.float32)
Y_TEST = (X_TEST[:, 0] > 0).astype(np.int64)


def state(seed: int = 0, width: int = 5, outputs: int = 2) -> dict[str, Tensor]:
    """Weights of ``mlp``; those of seed 0 tell the sign of the first input."""
    torch.manual_seed(seed)
    layers = torch.nn.Sequential(torch.nn.Linear(3, width), torch.nn.ReLU(), torch.nn.Linear(width, outputs))
    return layers.state_dict()


def build(folder: Path) -> None:
    """The folder with everything in order."""
    (folder / "world_models.py").write_text(MODELS)
    save_file(state(0), folder / "w.safetensors")
    save_file(state(1), folder / "init.safetensors")
    np.savez(folder / "train.npz", x=X, y=Y)
    np.savez(folder / "test.npz", x=X_TEST, y=Y_TEST)
    (folder / "out").mkdir()


GOOD: dict[str, str] = {
    "--network": "world_models:mlp",
    "--weights": "w.safetensors",
    "--initial": "init.safetensors",
    "--train": "train.npz",
    "--test": "test.npz",
    "--report": "out/report.html",
    "--json": "out/audit.json",
    "--store": "out/store",
}


def command(folder: Path, changes: Mapping[str, "str | Maker | list[str | Maker] | None"]) -> list[str]:
    """The words of an audit.

    Args:
        folder: Where makers make their files.
        changes: To :data:`GOOD`; None leaves an option out, a list repeats it, ``""`` gives it no value.
    """
    words = ["audit"]
    for option, value in {**GOOD, **changes}.items():
        if value is None:
            continue
        for each in value if isinstance(value, list) else [value]:
            said = each if isinstance(each, str) else each(folder)
            words += [option] if said == "" else [option, said]
    return words


def files(folder: Path) -> dict[str, int]:
    """Every file and folder with its size, what Python caches left out."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else -1
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def arrays(**held: object) -> Maker:
    """An ``.npz`` with these arrays."""

    def make(folder: Path) -> str:
        np.savez(folder / "bad.npz", **{key: np.asarray(value) for key, value in held.items()})
        return "bad.npz"

    return make


def text(name: str, content: str) -> Maker:
    """A file with this text."""

    def make(folder: Path) -> str:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        return name

    return make


def pipe(name: str) -> Maker:
    """A named pipe."""

    def make(folder: Path) -> str:
        os.mkfifo(folder / name)
        return name

    return make


def tensors(name: str = "bad.safetensors", **changes: Tensor | None) -> Maker:
    """A checkpoint of ``mlp`` with some tensors changed (``__`` stands for a dot) or, where None, left out."""

    def make(folder: Path) -> str:
        named = {**state(), **{key.replace("__", "."): tensor for key, tensor in changes.items()}}
        save_file({key: tensor for key, tensor in named.items() if tensor is not None}, folder / name)
        return name

    return make


def saved(content: object, name: str = "bad.pt") -> Maker:
    """A checkpoint that ``torch.save`` writes."""

    def make(folder: Path) -> str:
        torch.save(content, folder / name)
        return name

    return make


def cut(source: str, share: float = 0.5) -> Maker:
    """The beginning of a file that is in order."""

    def make(folder: Path) -> str:
        content = (folder / source).read_bytes()
        name = f"cut{Path(source).suffix}"
        (folder / name).write_bytes(content[: int(share * len(content))])
        return name

    return make


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch exploded",)


def pictures(*sizes: tuple[int, int], classes: int = 2) -> Maker:
    """A folder of pictures, one of each size in each class."""

    def make(folder: Path) -> str:
        from PIL import Image

        for number in range(classes):
            (folder / "pictures" / str(number)).mkdir(parents=True)
            for index, size in enumerate(sizes):
                Image.new("L", size).save(folder / "pictures" / str(number) / f"{index}.png")
        return "pictures"

    return make
