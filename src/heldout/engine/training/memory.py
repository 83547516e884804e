"""What was measured before: times of plans, by the shape of the work, kept between processes."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from heldout._version import __version__

_KNOWN: dict[str, list[dict[str, Any]]] = {}


def folder() -> Path:
    """Where measurements are kept: ``HELDOUT_CACHE``, or the user's cache folder.

    Returns:
        A folder that need not exist.
    """
    base = os.environ.get("HELDOUT_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "heldout" / "plans"


def remembered(shape: str) -> list[dict[str, Any]]:
    """Times of plans for a shape of work.

    Args:
        shape: Everything that a time depends on, as text.

    Returns:
        Entries with ``plan`` and ``milliseconds``; empty if nothing was measured.
    """
    if shape not in _KNOWN:
        try:
            kept = json.loads(_file(shape).read_text(encoding="utf-8"))
            _KNOWN[shape] = list(kept["times"]) if kept["shape"] == shape and kept["heldout"] == __version__ else []
        except (OSError, ValueError, KeyError, TypeError):
            _KNOWN[shape] = []  # a cache that is not there or damaged costs a measurement, nothing else
    return _KNOWN[shape]


def remembering(shape: str, times: list[dict[str, Any]]) -> None:
    """Keep times of plans; silently nothing where the folder cannot be written.

    Args:
        shape: Everything that a time depends on, as text.
        times: Entries with ``plan`` and ``milliseconds``.
    """
    _KNOWN[shape] = times
    try:
        folder().mkdir(parents=True, exist_ok=True)
        temporary = _file(shape).with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"heldout": __version__, "shape": shape, "times": times}), encoding="utf-8")
        temporary.replace(_file(shape))
    except OSError:
        return


def _file(shape: str) -> Path:
    return folder() / f"{hashlib.sha256(shape.encode()).hexdigest()[:20]}.json"
