"""Parts of work that is under way: what a killed process had finished, for the next one to take up."""

import json
from collections.abc import Mapping
from typing import Any

from heldout.engine.store.segments import listed, publish
from heldout.engine.store.store import Store


def keep_part(store: Store, key: str, name: str, part: Mapping[str, Any]) -> None:
    """Keep one finished part.

    Args:
        store: Where.
        key: Of the work: the same key means the same subject, seed, settings and version.
        name: Of the part.
        part: Plain values.
    """
    content = json.dumps(part, ensure_ascii=False, allow_nan=False).encode()
    publish(store.files, f"{store.path}/parts/{key}/{name}.json", content)


def parts(store: Store, key: str) -> dict[str, dict[str, Any]]:
    """All finished parts of a piece of work.

    Args:
        store: Where.
        key: Of the work.

    Returns:
        Name -> part; empty if nobody began.
    """
    folder = f"{store.path}/parts/{key}"
    return {
        name: json.loads(store.files.cat_file(f"{folder}/{name}.json")) for name in listed(store.files, folder, ".json")
    }


def drop_parts(store: Store, key: str) -> None:
    """Remove the parts of work whose record is written.

    Args:
        store: Where.
        key: Of the work.
    """
    folder = f"{store.path}/parts/{key}"
    if store.files.exists(folder):
        store.files.rm(folder, recursive=True)
