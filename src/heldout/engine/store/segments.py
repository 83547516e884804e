"""Segments: bytes that appear whole under their name, or not at all."""

import contextlib
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from heldout.records import Refusal


def opened(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path inside it.

    Args:
        url: A directory or any URL that fsspec knows.

    Returns:
        The file system and the path without a slash at its end.

    Raises:
        Refusal: If nothing speaks that URL here.
    """
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise Refusal(
            given=f"store was '{url}' ({_first_line(error)})",
            expected="a directory, or a URL that fsspec knows",
            do="pass a directory, or install the package that fsspec names",
        ) from None
    return files, path.rstrip("/")


def publish(files: Any, path: str, content: bytes) -> None:
    """Write a segment whole under a temporary name beside it, then rename.

    Args:
        files: An fsspec file system.
        path: The segment's name.
        content: All of it.

    Raises:
        OSError: If the disk will not take it; nothing is left behind.
    """
    folder, _, name = path.rpartition("/")
    files.makedirs(folder, exist_ok=True)
    temporary = f"{folder}/.{name}.{uuid.uuid4().hex}"
    if isinstance(files, LocalFileSystem):
        try:
            with Path(temporary).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # a rename may reach the disk before the bytes do
            Path(temporary).replace(path)
        except OSError:  # a disk that is full has no room for half a segment either
            Path(temporary).unlink(missing_ok=True)
            raise
    else:
        files.pipe_file(temporary, content)
        files.mv(temporary, path)


def publish_first(files: Any, path: str, content: bytes) -> None:
    """Write a segment unless somebody else was first; whoever reads it afterwards reads what the first one wrote.

    Args:
        files: An fsspec file system.
        path: The segment's name.
        content: All of it.
    """
    if not isinstance(files, LocalFileSystem):
        if not files.exists(path):
            publish(files, path, content)
        return
    folder, _, name = path.rpartition("/")
    files.makedirs(folder, exist_ok=True)
    temporary = Path(folder) / f".{name}.{uuid.uuid4().hex}"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)  # unlike a rename it fails where the name is taken
    finally:
        temporary.unlink(missing_ok=True)


def listed(files: Any, folder: str, ending: str) -> list[str]:
    """The names of the segments in a folder, without their ending.

    Args:
        files: An fsspec file system.
        folder: Where.
        ending: Such as ``".json"``.

    Returns:
        Sorted names; what a killed writer left is not among them.
    """
    files.invalidate_cache()  # other writers are at work
    if not files.exists(folder):
        return []
    names = [str(path).rpartition("/")[2] for path in files.ls(folder, detail=False)]
    return sorted(name.removesuffix(ending) for name in names if name.endswith(ending) and not name.startswith("."))


def folders(files: Any, folder: str) -> list[str]:
    """The names of the folders in a folder.

    Args:
        files: An fsspec file system.
        folder: Where.

    Returns:
        Sorted names; of an object store those of its prefixes.
    """
    files.invalidate_cache()
    if not files.exists(folder):
        return []
    names = [str(path).rstrip("/").rpartition("/")[2] for path in files.ls(folder, detail=False)]
    return sorted(name for name in names if not name.startswith("."))


def check_writable(files: Any, path: str, url: str) -> None:
    """Refuse a place where nothing can be written, before hours are spent; leaves nothing behind.

    Only local paths are tried: a remote service says no when it is written to.

    Args:
        files: An fsspec file system.
        path: The store's folder, which need not exist.
        url: As the user said it.

    Raises:
        Refusal: If a file stands in the way or the folder is not writable.
    """
    if not isinstance(files, LocalFileSystem):
        return
    place = Path(path)
    while not place.exists():
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            reason = ""
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise Refusal(
            given=f"store was '{url}' ({reason})",
            expected="a folder that can be written to",
            do="pass another folder",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
