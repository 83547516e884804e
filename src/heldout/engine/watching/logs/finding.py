"""Which files below a folder are logs, and of which run."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from heldout.engine.watching.logs import csv_files, event_files, jsonl_files, trainer_state
from heldout.engine.watching.logs.naming import TRAIN, VALIDATION, words_of
from heldout.engine.watching.logs.scalars import Log
from heldout.records import Refusal

DEEPEST, MOST_FILES = 8, 20_000
#: Formats in the order in which a file is tried: a test of its name, and its reader.
FORMATS: dict[str, tuple[re.Pattern[str], Callable[[Path, str], Log]]] = {
    "event file": (re.compile(r".*tfevents.*"), event_files.read),
    "trainer state": (re.compile(r"trainer_state\.json"), trainer_state.read),
    "csv": (re.compile(r".*\.(csv|tsv)"), csv_files.read),
    "jsonl": (re.compile(r".*\.(jsonl|ndjson)"), jsonl_files.read),
}
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


class Source(NamedTuple):
    """A file that may be a log.

    Attributes:
        path: Where.
        kind: Of :data:`FORMATS`.
        run: Name of the run that it belongs to.
        prefix: What its names are preceded by, such as ``"validation/"``.
    """

    path: Path
    kind: str
    run: str
    prefix: str


def sources(place: Path) -> list[Source]:
    """Files below a folder that may be logs, by name. Links that lead out of the folder are not followed.

    A run is a folder of event files (with its folders ``train`` and ``validation``, which Keras makes, and ``loss_val``, which
    ``add_scalars`` makes), a trainer state (the latest of a run's checkpoints), or one CSV or JSONL file.

    Args:
        place: The folder, or a file.

    Returns:
        In the order of their runs' names; of a run in the order of writing.

    Raises:
        Refusal: If the place is not there, or has more files than a folder of logs.
    """
    if place.is_file():
        return [_source(place, place.parent, alone=True)]
    if not place.is_dir():
        raise Refusal(
            given=f"LOGDIR was '{place}', which is not there", expected="a folder or a file", do="check the path"
        )
    root = place.resolve()
    found: list[Path] = []
    seen = 0
    for folder, folders, files in os.walk(root):  # does not follow links to folders
        here = Path(folder)
        if len(here.relative_to(root).parts) >= DEEPEST:
            folders.clear()
        folders.sort()
        seen += len(files) + len(folders)
        if seen > MOST_FILES:
            raise Refusal(
                given=f"LOGDIR was '{place}', with more than {MOST_FILES:,} files", expected="a folder of logs",
                do="pass the folder of one run",
            )  # fmt: skip
        found += [here / name for name in sorted(files) if kind_of(name) and _inside(here / name, root)]
    alone = {path for path in found if sum(other.parent == path.parent for other in found) == 1}
    listed = [_source(path, root, alone=path in alone) for path in found]
    return sorted(_latest(listed), key=lambda source: (source.run, str(source.path)))


def kind_of(name: str) -> str:
    """The format that a file's name says.

    Args:
        name: Of the file.

    Returns:
        Of :data:`FORMATS`; empty for none.

    Example:
        >>> kind_of("events.out.tfevents.1700000000.host.1.0"), kind_of("weights.pt")
        ('event file', '')
    """
    return next((kind for kind, (pattern, _) in FORMATS.items() if pattern.fullmatch(name)), "")


def _inside(path: Path, root: Path) -> bool:
    """Whether it is a plain file that lies below the folder, wherever links lead."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        return False
    return target.is_file() and target.is_relative_to(root)


def _source(path: Path, root: Path, *, alone: bool) -> Source:
    kind = kind_of(path.name)
    if not kind:
        raise Refusal(
            given=f"LOGDIR was '{path.name}'", expected="an event file, .csv, .jsonl or trainer_state.json",
            do="pass such a file, or a folder of them",
        )  # fmt: skip
    folder, prefix = path.parent, ""
    if kind == "trainer state" and CHECKPOINT.fullmatch(folder.name) and folder != root:
        folder = folder.parent
    sided = TRAIN | VALIDATION
    if kind == "event file" and folder != root and sided & set(words_of(folder.name)):
        folder, prefix = folder.parent, f"{folder.name}/"
    name = folder.relative_to(root).as_posix() if folder != root else root.name or root.as_posix()
    if kind in ("csv", "jsonl") and not alone:
        name = path.name if folder == root else f"{name}/{path.name}"
    return Source(path, kind, name, prefix)


def _latest(found: list[Source]) -> list[Source]:
    """Of a run's trainer states the one of the last checkpoint: each holds all that was before."""

    def age(source: Source) -> tuple[int, int]:
        number = CHECKPOINT.fullmatch(source.path.parent.name)
        return (int(number[1]) if number else -1, source.path.stat().st_mtime_ns)

    states = [source for source in found if source.kind == "trainer state"]
    last = {source.run: source for source in sorted(states, key=age)}
    return [source for source in found if source.kind != "trainer state" or last[source.run] is source]
