"""Readings of a result of any kind, as rows of one table."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow
import pyarrow.parquet

from heldout.engine.store.packs import READINGS
from heldout.engine.store.segments import listed
from heldout.engine.store.store import Store
from heldout.records import Refusal

Row = dict[str, Any]


def segment_table(content: bytes) -> pyarrow.Table:
    """A segment of readings.

    Args:
        content: Of the file.

    Returns:
        Its table.

    Raises:
        Refusal: If it is no whole Parquet file.
    """
    try:
        return pyarrow.parquet.read_table(io.BytesIO(content), use_threads=False)  # a segment is small
    except (OSError, ValueError) as error:
        raise Refusal(
            given=f"a segment of {len(content)} bytes cannot be read ({type(error).__name__})",
            expected="a whole Parquet file",
            do="copy it again from where it came, or remove it",
        ) from None


def audit_readings(store: Store, run: str) -> pyarrow.Table:
    """The readings of an audit, from its segment.

    Args:
        store: Where.
        run: Its name.

    Returns:
        A table of :data:`READINGS`.

    Raises:
        Refusal: If the segment is missing or broken.
    """
    try:
        content = store.files.cat_file(f"{store.path}/readings/{run}.parquet")
    except OSError as error:
        raise Refusal(
            given=f"the readings of '{run}' cannot be read ({error.strerror or type(error).__name__})",
            expected=f"readings/{run}.parquet beside its record",
            do="copy the whole store again",
        ) from None
    return fitted(segment_table(content), run)


def record_readings(kind: str, run: str, record: Mapping[str, Any]) -> pyarrow.Table:
    """The numbers of a record that can be searched over runs.

    Args:
        kind: Of the result; of an audit its readings, of a posterior likewise, of certificates their values, of a prediction
            ``predicted-accuracy`` and ``predicted-gap``; of studies and judgements none, which are tables of their own.
        run: Its name.
        record: As it was kept.

    Returns:
        A table of :data:`READINGS`.
    """
    rows: list[Row] = []
    if kind in ("audit", "posterior"):
        rows = [dict(row) for row in record.get("readings", ())]
    elif kind == "certification":
        rows = [{**row, "unit": row["loss"], "direction": "higher is worse"} for row in record.get("certificates", ())]
    elif kind == "prediction":
        rows = [{**row, "name": f"predicted-{row['target']}", "family": "prediction"} for row in record.get("rows", ())]
    columns = {name: [row.get(name) for row in rows] for name in READINGS.names}
    return pyarrow.table({**columns, "run": [run] * len(rows)}, schema=READINGS)


def fitted(table: pyarrow.Table, run: str) -> pyarrow.Table:
    """A table with the columns of all readings, in their order.

    Args:
        table: Of a segment, perhaps of another version.
        run: Whose it is.

    Returns:
        A table of :data:`READINGS`; what it lacks is null.
    """
    count = table.num_rows
    have = set(table.column_names)
    columns = {
        field.name: table.column(field.name).cast(field.type)
        if field.name in have
        else pyarrow.nulls(count, field.type)
        for field in READINGS
    }
    return pyarrow.table({**columns, "run": pyarrow.array([run] * count, pyarrow.string())}, schema=READINGS)


def segment_names(store: Store, run: str) -> list[str]:
    """The segments of a training, in order.

    Args:
        store: Where.
        run: A listed name.

    Returns:
        Their names.
    """
    return listed(store.files, f"{store.path}/trajectories/{run}", ".parquet")


def read_segment(store: Store, run: str, segment: str) -> pyarrow.Table:
    """One segment of a training.

    Args:
        store: Where.
        run: A listed name.
        segment: A listed name.

    Returns:
        Its table.

    Raises:
        Refusal: If it cannot be read.
    """
    try:
        content = store.files.cat_file(f"{store.path}/trajectories/{run}/{segment}.parquet")
    except OSError as error:
        raise Refusal(
            given=f"segment {segment} cannot be read ({error.strerror or type(error).__name__})",
            expected="a file that is there",
            do="copy the training again from where it came",
        ) from None
    return segment_table(content)


def plain_rows(table: pyarrow.Table) -> list[Row]:
    """A table as plain rows, for JSON.

    Args:
        table: Any.

    Returns:
        Rows; what is no finite number is None.

    Example:
        >>> plain_rows(pyarrow.table({"step": [1], "value": [float("nan")]}))
        [{'step': 1, 'value': None}]
    """
    return [
        {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}
        for row in table.to_pylist()
    ]


def latest(known: Mapping[tuple[Any, Any], Row], tables: Iterable[pyarrow.Table]) -> dict[tuple[Any, Any], Row]:
    """The last row of every reading and member.

    Args:
        known: Those of earlier segments.
        tables: Later segments, in order.

    Returns:
        (name, member) -> row.
    """
    found = dict(known)
    for table in tables:
        for row in plain_rows(table):
            found[row.get("name"), row.get("member")] = row
    return found


def latest_table(rows: Sequence[Row], run: str) -> pyarrow.Table:
    """The last rows of a training as readings.

    Args:
        rows: Of :func:`latest`.
        run: Whose.

    Returns:
        A table of :data:`READINGS`.
    """
    columns = {name: [row.get(name) for row in rows] for name in READINGS.names}
    return pyarrow.table({**columns, "run": [run] * len(rows)}, schema=READINGS)
