"""Packs: summaries and readings of many runs in two files, so that thousands of runs can be searched at once.

They are derived: whoever deletes them loses nothing but the minute in which they are made again. A pack is named by the runs that it
holds, written whole and renamed, the summaries last: with them the pack is there. Two servers that pack the same runs write the same
name; of packs that overlap a reader takes the first and leaves the others alone. What may still change is never packed.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow
import pyarrow.parquet

from heldout.engine.store.segments import listed, publish
from heldout.engine.store.tables import READING

#: Runs of a pack: 10,000 runs are forty packs, and one is made in about a second.
PACKED = 250
#: Of the packs' columns; packs of another version are not read.
VERSION = 1
#: Rows of one name lie together, and a group this small is skipped as a whole when another name is asked for.
GROUP = 16_384
SUMMARIES = pyarrow.schema([
    ("run", pyarrow.string()),
    ("kind", pyarrow.string()),
    ("written", pyarrow.string()),
    ("subject", pyarrow.string()),
    ("members", pyarrow.int64()),
    ("headline", pyarrow.string()),
    ("heldout", pyarrow.string()),
    ("finished", pyarrow.bool_()),
    ("note", pyarrow.string()),
])
READINGS = pyarrow.schema([
    ("run", pyarrow.string()),
    ("member", pyarrow.int64()),
    ("step", pyarrow.int64()),
    *READING,
])


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack that lies on a disk.

    Attributes:
        runs: Their summaries.
        readings: Path of their readings.
        names: Name of a reading -> runs that have it.
    """

    runs: pyarrow.Table
    readings: str
    names: Mapping[str, int]


def table_of(rows: Sequence[Mapping[str, Any]], schema: pyarrow.Schema) -> pyarrow.Table:
    """Rows as a table; what a row lacks is null.

    Args:
        rows: Plain values.
        schema: :data:`SUMMARIES` or :data:`READINGS`.

    Returns:
        The table.
    """
    return pyarrow.table({name: [row.get(name) for row in rows] for name in schema.names}, schema=schema)


def pack_name(runs: Sequence[str]) -> str:
    """The name of the pack of some runs.

    Args:
        runs: Their names, in any order.

    Returns:
        Version and hash.

    Example:
        >>> pack_name(["b", "a"]) == pack_name(["a", "b"])
        True
    """
    text = "\n".join(sorted(runs))
    return f"{VERSION}-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def write_pack(files: Any, folder: str, summaries: pyarrow.Table, readings: pyarrow.Table) -> Pack:
    """Write a pack.

    Args:
        files: An fsspec file system.
        folder: Where packs lie.
        summaries: One row a run.
        readings: Of these runs.

    Returns:
        The pack.
    """
    runs = summaries.column("run").to_pylist()
    place = f"{folder}/{pack_name(runs)}"
    ordered = readings.sort_by([("name", "ascending"), ("run", "ascending")])
    pairs = ordered.select(["name", "run"]).group_by(["name", "run"]).aggregate([])
    names = Counter(pairs.column("name").to_pylist())
    told = summaries.replace_schema_metadata({"names": json.dumps(names)})
    publish(files, f"{place}.readings.parquet", _bytes(ordered))
    publish(files, f"{place}.runs.parquet", _bytes(told))
    return Pack(summaries, f"{place}.readings.parquet", names)


def read_pack(files: Any, folder: str, name: str) -> Pack | None:
    """A pack, if it is there and whole.

    Args:
        files: An fsspec file system.
        folder: Where packs lie.
        name: Of the pack.

    Returns:
        The pack; None where it is missing or broken, which is no fault: it is made again.
    """
    place = f"{folder}/{name}"
    try:
        runs = pyarrow.parquet.read_table(io.BytesIO(files.cat_file(f"{place}.runs.parquet")))
        names = json.loads((runs.schema.metadata or {})[b"names"])
        whole = files.tail(f"{place}.readings.parquet", 4) == b"PAR1"
    except (OSError, ValueError, KeyError):  # pyarrow's own errors are ValueErrors
        return None
    if not whole or runs.schema.names != SUMMARIES.names:
        return None
    return Pack(runs.cast(SUMMARIES), f"{place}.readings.parquet", names)


def read_packs(files: Any, folder: str) -> list[Pack]:
    """The packs of a folder, none of which overlap.

    Args:
        files: An fsspec file system.
        folder: Where packs lie.

    Returns:
        Packs; of those that share a run the first by name.
    """
    found: list[Pack] = []
    known: set[str] = set()
    for name in listed(files, folder, ".runs.parquet"):
        pack = read_pack(files, folder, name) if name.startswith(f"{VERSION}-") else None
        own = set() if pack is None else set(pack.runs.column("run").to_pylist())
        if pack is not None and not own & known:
            found.append(pack)
            known |= own
    return found


def _bytes(table: pyarrow.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, row_group_size=GROUP)
    return buffer.getvalue()
