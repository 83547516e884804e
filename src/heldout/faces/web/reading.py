"""One run as the index wants it: its summary, its readings, and whether either may still change."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
from fsspec.implementations.local import LocalFileSystem

from heldout.engine.store import Store
from heldout.engine.store.packs import READINGS, table_of
from heldout.engine.store.readings import (
    audit_readings,
    latest,
    latest_table,
    read_segment,
    record_readings,
    segment_names,
)
from heldout.engine.store.results import FOLDERS, summarised
from heldout.records import Refusal

Row = dict[str, Any]
#: A folder that changed so lately may change again within the same tick of the file system's clock.
TICK = 2.0
#: Seconds after which a place whose changes cannot be seen is read again.
BLIND = 10


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a run.

    Attributes:
        summary: Its row among the runs.
        readings: Its readings; of a training the last of each.
        settled: Whether it will never change: a result that was read, a training that ended.
        last: Of a training, the last segment that was read.
        rows: Of a training that goes on, (name, member) -> its last row.
    """

    summary: Row
    readings: pyarrow.Table
    settled: bool
    last: str = ""
    rows: Mapping[tuple[Any, Any], Row] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The readings that it has."""
        return [name for name in pyarrow.compute.unique(self.readings.column("name")).to_pylist() if name]


def read_run(store: Store, kind: str, run: str, before: Read | None = None) -> Read:
    """Read a run; what cannot be read is said in its note and does not settle.

    Args:
        store: Where.
        kind: Of the run.
        run: A listed name.
        before: What was read of it before, to go on from.

    Returns:
        What there is.
    """
    summary = summarised(store, kind, run)
    if summary["note"]:
        return Read(summary, table_of([], READINGS), settled=False)
    if kind == "training":
        return _training(store, run, summary, before)
    try:
        readings = audit_readings(store, run) if kind == "audit" else _of_record(store, kind, run)
    except (Refusal, KeyError, TypeError, AttributeError, pyarrow.ArrowException) as error:
        note = str(error) if isinstance(error, Refusal) else f"its readings are not as heldout writes them ({error})"
        return Read({**summary, "note": note}, table_of([], READINGS), settled=False)
    return Read(summary, readings, settled=True)


def _of_record(store: Store, kind: str, run: str) -> pyarrow.Table:
    from heldout.engine.store import read_result

    return record_readings(kind, run, read_result(store, kind, run))


def _training(store: Store, run: str, summary: Row, before: Read | None) -> Read:
    whole = before is not None and not before.summary["note"]  # what was broken may have been mended: read it all again
    known = before if before is not None and whole else Read(summary, table_of([], READINGS), settled=False)
    tables, faults, last = [], [], known.last
    for segment in segment_names(store, run):
        if segment > known.last:
            try:
                tables.append(read_segment(store, run, segment))
                last = segment
            except Refusal as refusal:
                faults.append(str(refusal))
    rows = latest(known.rows, tables)
    note = f"{len(faults)} of its segments cannot be read: {faults[0]}" if faults else ""
    told = {**summary, "note": note}
    if summary["headline"] == "" and rows:
        told["headline"] = f"step {max(int(row.get('step') or 0) for row in rows.values()):,}"
    read = Read(told, latest_table(list(rows.values()), run), settled=summary["finished"] and not faults, last=last)
    return read if read.settled else replace(read, rows=rows)


def stamp(store: Store, *parts: str) -> Any:
    """A value that differs when a place of the store has changed.

    Args:
        store: Where.
        *parts: Folders and names below it.

    Returns:
        Of a folder of this machine its time of change; elsewhere a value that changes every ten seconds.
    """
    if not isinstance(store.files, LocalFileSystem):
        return int(time.monotonic() // BLIND)
    try:
        changed = Path(store.path, *parts).stat().st_mtime_ns
    except OSError:
        return 0
    return time.monotonic_ns() if abs(time.time() - changed / 1e9) < TICK else changed


def run_place(kind: str, run: str) -> tuple[str, str]:
    """Where a change of a run shows.

    Args:
        kind: Of the run.
        run: Its name.

    Returns:
        A folder and the name of its record or folder in it.
    """
    return FOLDERS[kind], run if kind == "training" else f"{run}.json"
