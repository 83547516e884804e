"""One batch of CIFAR: the binary form, or the pickled one, of which nothing but arrays and lists is let in."""

import codecs
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from heldout.engine.subject.loaded import reason
from heldout.records import Refusal

PIXELS = 3 * 32 * 32
#: What a pickled array is made of; whatever else a pickle asks for is refused before it is looked up.
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): codecs.encode,
}


class _NoBatchError(Exception):
    """What is wrong with a file, for the sentence of the refusal."""


def batch(file: Path, argument: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of one batch of CIFAR-10 or CIFAR-100 (its fine labels).

    Args:
        file: ``data_batch_1.bin``, ``test_batch``, ``train``, ...
        argument: The argument's name.

    Returns:
        Bytes ``[N, 3072]`` and class numbers ``[N]``.

    Raises:
        Refusal: If the file is not whole, or would run code.
    """
    try:
        return _binary(file) if file.suffix == ".bin" else _pickled(file)
    except Exception as error:  # a spoilt pickle may raise anything
        raise Refusal(
            given=f"{argument} '{file}' is no batch of CIFAR ({error if isinstance(error, _NoBatchError) else reason(error)})",
            expected="a batch as it is published, binary or pickled",
            do="fetch it again, or save arrays x and y as .npz",
        ) from error


def _binary(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """A record is one label (CIFAR-10) or a coarse and a fine one (CIFAR-100), and the pixels."""
    content = np.fromfile(file, np.uint8)
    labels = 2 if file.stem in ("train", "test") else 1
    if not content.size or content.size % (PIXELS + labels):
        raise _NoBatchError(f"its {content.size} bytes are no whole number of records of {PIXELS + labels}")
    records = content.reshape(-1, PIXELS + labels)
    return records[:, labels:], records[:, labels - 1]


def _pickled(file: Path) -> tuple[np.ndarray, np.ndarray]:
    held = _Arrays(io.BytesIO(file.read_bytes()), encoding="bytes").load()
    labels = held[b"fine_labels"] if b"fine_labels" in held else held[b"labels"]
    pictures, numbers = np.asarray(held[b"data"]), np.asarray(labels)
    if pictures.dtype != np.uint8 or pictures.shape != (len(numbers), PIXELS) or numbers.dtype.kind not in "iu":
        raise _NoBatchError(f"it holds an array {pictures.shape} of {pictures.dtype} and {len(numbers)} labels")
    return pictures, numbers


class _Arrays(pickle.Unpickler):
    """An unpickler that can make arrays of numbers, lists and dictionaries, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Give what an array is made of; anything else is an error before it is looked up.

        Args:
            module: Where it lies.
            name: What it is called.

        Returns:
            The function or type.

        Raises:
            _NoBatchError: Otherwise.
        """
        if (module, name) not in ALLOWED:
            raise _NoBatchError(f"it asks for {module}.{name}, which could run code")
        return ALLOWED[module, name]
