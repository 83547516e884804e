"""The readings of a record as a Parquet segment: one schema, named once."""

import io
from collections.abc import Mapping
from typing import Any

import pyarrow
import pyarrow.parquet

#: What every table of readings says of one of them, in this order.
READING = (
    ("name", pyarrow.string()),
    ("family", pyarrow.string()),
    ("value", pyarrow.float64()),
    ("low", pyarrow.float64()),
    ("high", pyarrow.float64()),
    ("standard_error", pyarrow.float64()),
    ("unit", pyarrow.string()),
    ("direction", pyarrow.string()),
    ("status", pyarrow.string()),
    ("reason", pyarrow.string()),
)
#: Columns of every readings segment. A later version adds columns at the end and never changes one.
COLUMNS = pyarrow.schema([
    ("run", pyarrow.string()),
    ("subject", pyarrow.string()),
    ("member", pyarrow.int64()),
    *READING,
    ("forward", pyarrow.float64()),
    ("backward", pyarrow.float64()),
    ("seconds", pyarrow.float64()),
])


def readings_segment(run: str, record: Mapping[str, Any]) -> bytes:
    """The readings of a record as Parquet.

    Args:
        run: The run's name.
        record: What ``Audit.to_dict`` gave.

    Returns:
        The file's bytes; a missing number is null.
    """
    subject = str(record.get("subject", {}).get("name", ""))
    rows = [{"run": run, "subject": subject, **row, **row["passes"]} for row in record["readings"]]
    columns = {name: [row[name] for row in rows] for name in COLUMNS.names}
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=COLUMNS), buffer)
    return buffer.getvalue()


def sql_columns() -> str:
    """The columns as DuckDB spells them, for a store without readings."""
    kinds = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE"}
    return ", ".join(f"NULL::{kinds[str(column.type)]} AS {column.name}" for column in COLUMNS)
