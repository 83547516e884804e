"""Rows of a watched run: one schema, named once."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow
import pyarrow.parquet

from heldout.engine.store.tables import READING
from heldout.records import Status

#: Columns of every segment of a watched run. A later version adds columns at the end and never changes one.
SCHEMA = pyarrow.schema([
    ("step", pyarrow.int64()),
    ("member", pyarrow.int64()),
    *READING,
    ("seconds", pyarrow.float64()),
])


class Row(NamedTuple):
    """One reading at one step.

    Attributes:
        step: Steps taken.
        member: Always 0: one network trains.
        name: Of the reading.
        family: Of the reading.
        value: The number, or None.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        standard_error: Or None.
        unit: Of the value.
        direction: What a larger value says about error on unseen data.
        status: The code of a :class:`heldout.records.Status`.
        reason: Why there is no number; empty where there is one.
        seconds: Since the run began.
    """

    step: int
    member: int
    name: str
    family: str
    value: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    unit: str
    direction: str
    status: str
    reason: str
    seconds: float

    @classmethod
    def of(cls, step: int, seconds: float, reading: Mapping[str, Any]) -> "Row":
        """A row from what a reading says of itself.

        Args:
            step: Steps taken.
            seconds: Since the run began.
            reading: Name, and whatever else is known; what is not is absent.

        Returns:
            The row.

        Example:
            >>> row = Row.of(3, 0.5, {"name": "loss", "value": 2.0})
            >>> row.step, row.value, row.low, row.status
            (3, 2.0, None, 'ok')
        """
        given = {name: reading.get(name) for name in SCHEMA.names}
        words = {name: str(given[name] or "") for name in ("name", "family", "unit", "reason")}
        told = {"direction": given["direction"] or "neither", "status": given["status"] or Status.OK.code}
        filled: dict[str, Any] = {**given, **words, **told, "step": step, "member": 0, "seconds": seconds}
        return cls(**filled)


def absent(name: str, status: Status, reason: str, family: str = "") -> dict[str, Any]:
    """A reading without a number.

    Args:
        name: Of the reading.
        status: Why.
        reason: In a sentence.
        family: Of the reading.

    Returns:
        What :meth:`Row.of` takes.
    """
    return {"name": name, "family": family, "status": status.code, "reason": reason}


def segment(rows: Iterable[Row]) -> bytes:
    """Rows as Parquet.

    Args:
        rows: In the order of steps.

    Returns:
        The file's bytes; a missing number is null.
    """
    columns = dict(zip(SCHEMA.names, map(list, zip(*rows, strict=True)), strict=True))
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=SCHEMA), buffer)
    return buffer.getvalue()


def rows_from(table: Sequence[Mapping[Any, Any]]) -> list[Row]:
    """Rows from what was read of a store.

    Args:
        table: One mapping a row.

    Returns:
        The rows; what is not a number is None.
    """

    def plain(value: Any) -> Any:
        return None if isinstance(value, float) and value != value else value

    return [Row(**{name: plain(row[name]) for name in SCHEMA.names}) for row in table]
