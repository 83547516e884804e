"""JSON lines: one object a line, with a key for the step."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heldout.engine.watching.logs.lines import whole_lines
from heldout.engine.watching.logs.rows import log_of
from heldout.engine.watching.logs.scalars import Log

DEPTH = 3  # {"val": {"loss": 0.1}} is val/loss; what lies deeper is no scalar of a log


def read(path: Path, step: str = "") -> Log:
    """The scalars of lines of JSON. Objects within objects give names such as ``val/loss``.

    Args:
        path: The file.
        step: The key of the step; found by its name unless given.

    Returns:
        The log.
    """
    rows, skipped = [], 0
    for line in whole_lines(path):
        record = parsed(line)
        if isinstance(record, dict):
            rows.append(flat(record))
        else:
            skipped += 1
    return log_of(rows, path.name, step, skipped)


def parsed(text: str) -> Any:
    """JSON, or nothing.

    Args:
        text: Any.

    Returns:
        What it says; None for what is no JSON, however deep it is nested and however many digits it has.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def flat(record: Mapping[str, Any], prefix: str = "", depth: int = DEPTH) -> dict[str, Any]:
    """An object's numbers by the names that lead to them.

    Args:
        record: The object.
        prefix: Of the names.
        depth: Of objects within objects that are followed.

    Returns:
        Name -> value.

    Example:
        >>> flat({"step": 1, "val": {"loss": 0.5}})
        {'step': 1, 'val/loss': 0.5}
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{prefix}{key}/", depth - 1) if depth > 1 else {})
        else:
            found[f"{prefix}{key}"] = value
    return found
