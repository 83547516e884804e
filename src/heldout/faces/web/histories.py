"""Histories: the readings of a training so far, kept in memory while its page is looked at and read on where they ended."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow

from heldout.engine.store import Store
from heldout.engine.store.readings import plain_rows, read_segment, segment_names
from heldout.records import Refusal

#: Trainings whose readings are kept.
KEPT = 8
#: Steps of a reading and member that a page draws; a download has all.
DRAWN = 400


@dataclass(frozen=True, slots=True)
class History:
    """The readings of a training.

    Attributes:
        table: All rows, in the order of segments.
        last: The last segment that they come from; empty for none.
        notes: Sentences on segments that could not be read.
    """

    table: pyarrow.Table
    last: str
    notes: tuple[str, ...] = ()


class Histories:
    """The trainings that were looked at last.

    Args:
        store: Of the trainings.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._held: OrderedDict[str, History] = OrderedDict()
        self._lock = threading.Lock()

    def __getitem__(self, run: str) -> History:
        """The readings of a training so far.

        Args:
            run: A listed name.

        Returns:
            Its history.
        """
        with self._lock:
            known = self._held.pop(run, History(pyarrow.table({}), ""))
            found = self._read_on(run, known)
            self._held[run] = found
            while len(self._held) > KEPT:
                self._held.popitem(last=False)
        return found

    def _read_on(self, run: str, known: History) -> History:
        tables, notes, last = [known.table] if known.last else [], list(known.notes), known.last
        listed = segment_names(self.store, run)
        for name in listed:
            if name > known.last:
                try:
                    tables.append(read_segment(self.store, run, name))
                except Refusal as refusal:
                    if name == listed[-1]:
                        break  # it may be on its way; the next look tells
                    notes.append(f"{str(refusal).rstrip('.')} (segment {name}).")
                last = name
        if last == known.last:
            return known
        whole = pyarrow.concat_tables([table for table in tables if table.num_columns], promote_options="permissive")
        return History(whole.combine_chunks(), last, tuple(notes))


def drawn_rows(table: pyarrow.Table, most: int = DRAWN) -> list[dict[str, Any]]:
    """Rows for a page: of a long training evenly spaced steps of each reading and member, the first and the last among them.

    Args:
        table: Of a history.
        most: Rows of a reading and member.

    Returns:
        Rows in the order of steps.

    Example:
        >>> whole = pyarrow.table({"step": range(9), "name": ["gap"] * 9, "member": [0] * 9})
        >>> [row["step"] for row in drawn_rows(whole, 3)]
        [0, 4, 8]
    """
    if not {"step", "name", "member"} <= set(table.column_names):
        return []
    connection = duckdb.connect()
    connection.register("history", table)
    chosen = connection.sql(
        "SELECT * EXCLUDE (place, many) FROM (SELECT *, row_number() OVER series - 1 AS place, "
        "count(*) OVER (PARTITION BY name, member) AS many FROM history WINDOW series AS (PARTITION BY name, member ORDER BY step)) "
        "WHERE many <= $most OR place * ($most - 1) // (many - 1) <> (place - 1) * ($most - 1) // (many - 1) OR place = 0 "
        "ORDER BY step, name, member",
        params={"most": most},
    ).to_arrow_table()
    return plain_rows(chosen)
