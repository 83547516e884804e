"""Pictures: one folder a class, or encoded bytes in a column."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from heldout.engine.subject.examples import Examples
from heldout.engine.subject.loaded import Loaded, numbered, reason
from heldout.records import Refusal

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
GREY = ("1", "L", "LA")


def class_folders(folder: Path, argument: str, classes: tuple[str, ...] = ()) -> Loaded:
    """Pictures from one folder a class: ``folder/cat/1.png``. Class numbers follow the sorted names of the folders.

    Args:
        folder: It holds the classes' folders; names that start with a dot are passed over.
        argument: The argument's name.
        classes: The training data's classes; empty if these are the training data.

    Returns:
        Inputs ``[N, channels, height, width]``, float32 in [0, 1], and class numbers.

    Raises:
        Refusal: If there is no class, a class has no pictures, or the pictures differ in size.
    """
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise Refusal(
            given=f"{argument} was '{folder}', which holds no folders",
            expected="one folder of pictures a class, or a Hugging Face dataset saved to disk",
            do="sort the pictures into folders named by their class",
        )
    files: list[Path] = []
    words: list[str] = []
    for name in names:
        pictures = [file for file in sorted((folder / name).iterdir()) if file.suffix.lower() in ENDINGS]
        pictures = [file for file in pictures if not file.name.startswith(".")]
        if not pictures:
            raise Refusal(
                given=f"{argument} has no pictures in its folder '{name}'",
                expected=f"files ending in {', '.join(ENDINGS)}",
                do="fill or remove the folder",
            )
        files += pictures
        words += [name] * len(pictures)
    labels, found = numbered(words, argument, classes)
    x = decoded(((f"{file.parent.name}/{file.name}", file) for file in files), argument)
    return Loaded(Examples(x, labels), found)


def decoded(pictures: Iterable[tuple[str, Path | bytes]], argument: str) -> Tensor:
    """Pictures as one tensor. Grey ones have one channel, all others are brought to red, green and blue.

    Args:
        pictures: A name for sentences, and a file or its bytes.
        argument: The argument's name.

    Returns:
        ``[N, channels, height, width]``, float32 in [0, 1].

    Raises:
        Refusal: If one cannot be read, or the sizes differ.
    """
    arrays: list[np.ndarray] = []
    first = ""
    for name, source in pictures:
        try:
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
                pixels = np.asarray(picture.convert("L" if picture.mode in GREY else "RGB"))
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise Refusal(
                given=f"{argument} has a picture '{name}' that cannot be read ({reason(error)[:80]})",
                expected="whole pictures",
                do="replace or remove it",
            ) from error
        channels_first = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        if arrays and channels_first.shape != arrays[0].shape:
            raise Refusal(
                given=f"{argument} has pictures of different shapes ('{first}' is {_shape(arrays[0])} and '{name}' is "
                f"{_shape(channels_first)})",
                expected="pictures of one size and one number of channels",
                do="resize or convert them as in training",
            )
        first = first or name
        arrays.append(channels_first)
    return torch.from_numpy(np.stack(arrays)).float() / 255  # one byte a pixel until here


def _shape(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))
