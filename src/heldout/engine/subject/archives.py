"""The files in which MNIST and its relatives (IDX) and CIFAR are published, read as they come."""

import gzip
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

from heldout.engine.subject.batches import batch
from heldout.engine.subject.examples import Examples
from heldout.engine.subject.loaded import Loaded, reason
from heldout.records import Refusal

IDX = re.compile(r"(?P<of>(?:.*[-_])?(?:train|t10k|test))-images[-.]idx3-ubyte(?P<packed>\.gz)?")
BATCH = re.compile(r"(?P<train>data_batch_\d+|train)(\.bin)?|test(_batch)?(\.bin)?")
SIDE = 32  # of a CIFAR picture


def picture_archive(place: Path, argument: str, *, training: bool) -> Loaded | None:
    """Pictures and labels from published files: a folder of them, or one file of pictures.

    MNIST, Fashion-MNIST, KMNIST and EMNIST come in IDX files (``train-images-idx3-ubyte``, ``t10k-labels-idx1-ubyte``, with ``.gz``
    or without), CIFAR-10 in ``data_batch_1.bin`` or ``data_batch_1``, CIFAR-100 in ``train.bin`` or ``train``. Of a folder the
    training files are read for training data and the others for test data. A file that is not whole, or has no labels beside it,
    is refused.

    Args:
        place: A file or a folder, also one with a folder ``raw`` in it.
        argument: The argument's name.
        training: Whether training data are wanted.

    Returns:
        Inputs ``[N, channels, height, width]``, float32 in [0, 1], and class numbers; None if there are no such files.
    """
    if place.is_file():
        return _idx(place, argument) if IDX.fullmatch(place.name) else _batches([place], argument)
    for folder in (place, place / "raw"):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        images = [file for file in files if (found := IDX.fullmatch(file.name)) and _train(found["of"]) == training]
        if images:
            return _idx(_only(images, argument), argument)
        parts = [file for file in files if (found := BATCH.fullmatch(file.name)) and bool(found["train"]) == training]
        if parts and all(part.is_file() for part in parts):
            return _batches(parts, argument)
    return None


def _train(name: str) -> bool:
    return name.endswith("train")


def _only(images: list[Path], argument: str) -> Path:
    names = sorted({image.name.removesuffix(".gz") for image in images})
    if len(names) > 1:
        raise Refusal(
            given=f"{argument} was a folder with {' and '.join(names[:3])}",
            expected="one file of pictures for each role",
            do="name the file of pictures itself",
        )
    return images[0]


def _idx(images: Path, argument: str) -> Loaded:
    wanted = images.name.replace("-images", "-labels").replace("idx3", "idx1")
    bare = wanted.removesuffix(".gz")
    labels = next((file for name in (wanted, bare, f"{bare}.gz") if (file := images.with_name(name)).is_file()), None)
    if labels is None:
        raise Refusal(
            given=f"{argument} '{images}' has no labels beside it", expected=f"a file {bare}", do="put it in the folder"
        )
    pictures, numbers = _numbers(images, 3, argument), _numbers(labels, 1, argument)
    if len(pictures) != len(numbers):
        raise Refusal(
            given=f"{argument} has {len(pictures)} pictures in '{images.name}' and {len(numbers)} labels in '{labels.name}'",
            expected="a label a picture",
            do="take both files from one archive",
        )
    return _loaded(pictures[:, None], numbers)


def _numbers(file: Path, axes: int, argument: str) -> np.ndarray:
    """An IDX file of bytes: two zeros, the type 8, the number of axes, their lengths (big-endian), the values."""
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(file, argument, reason(error)) from error
    start = 4 + 4 * axes
    if content[:4] != bytes((0, 0, 8, axes)) or len(content) < start:
        raise _broken(file, argument, f"it does not begin as an IDX file of bytes with {axes} axes")
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != int(np.prod(shape, dtype=np.int64)):
        raise _broken(
            file, argument, f"it announces {'x'.join(map(str, shape))} values and holds {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _batches(files: list[Path], argument: str) -> Loaded | None:
    """Batches of CIFAR; the binary and the pickled form of one batch are the same batch."""
    stems = {file.name.removesuffix(".bin"): file for file in files}
    if len(files) == 1 and not BATCH.fullmatch(files[0].name):
        return None
    parts = [batch(file, argument) for _, file in sorted(stems.items())]
    pictures, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _loaded(pictures.reshape(-1, 3, SIDE, SIDE), labels)


def _loaded(pictures: np.ndarray, labels: np.ndarray) -> Loaded:
    x = torch.from_numpy(pictures.astype(np.float32)).div_(255)
    return Loaded(Examples(x, torch.from_numpy(labels.astype(np.int64))))


def _broken(file: Path, argument: str, why: str) -> Refusal:
    return Refusal(given=f"{argument} '{file}' cannot be read ({why})", expected="a whole file", do="fetch it again")
