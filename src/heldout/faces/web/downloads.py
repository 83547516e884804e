"""Downloads: the table behind a page as CSV, Parquet or JSON, sent piece by piece."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from heldout.engine.store.packs import SUMMARIES
from heldout.engine.store.readings import plain_rows

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
#: Of a record of this kind, the table that its page shows.
MAIN = {
    "audit": "readings",
    "certification": "certificates",
    "judgement": "scores",
    "posterior": "readings",
    "prediction": "rows",
}


def record_table(kind: str, record: Mapping[str, Any]) -> pyarrow.Table:
    """The main table of a record.

    Args:
        kind: Of the result.
        record: As it was kept.

    Returns:
        Its rows; what is nested stands in them as JSON, but for the passes of a reading, which are columns.
    """
    rows = record["figure"]["rows"] if kind == "study" else record[MAIN[kind]]
    return flat_table(rows)


def runs_table(view: Mapping[str, Any]) -> pyarrow.Table:
    """The rows of a view of runs as a table, for downloads.

    Args:
        view: Of the runs.

    Returns:
        One row a run, with the range and mean of each reading that was asked for.
    """
    rows = []
    for row in view["rows"]:
        flat = {name: row.get(name) for name in SUMMARIES.names}
        for name, told in row["readings"].items():
            flat |= {f"{name} {key}": None if told is None else told[key] for key in ("low", "high", "mean")}
        rows.append(flat)
    return pyarrow.Table.from_pylist(rows) if rows else SUMMARIES.empty_table()


def flat_table(rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
    """Rows as a table.

    Args:
        rows: Plain values, nested or not.

    Returns:
        The table.

    Example:
        >>> flat_table([{"name": "gap", "passes": {"forward": 1.0}, "needs": ["a"]}]).to_pylist()
        [{'name': 'gap', 'passes forward': 1.0, 'needs': '["a"]'}]
    """
    flat = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return pyarrow.table({name: _column([row.get(name) for row in flat]) for name in names})


def pieces(batches: Iterator[pyarrow.Table], ending: str) -> Iterator[bytes]:
    """A table as a file.

    Args:
        batches: At least one table, all of the same columns.
        ending: One of :data:`TYPES`.

    Yields:
        The file's bytes.
    """
    if ending == "json":
        yield from _json(batches)
        return
    sink = _Sink()
    writer: Any = None
    for batch in batches:
        if writer is None:
            kind = pyarrow.csv.CSVWriter if ending == "csv" else pyarrow.parquet.ParquetWriter
            writer = kind(pyarrow.PythonFile(sink, mode="w"), batch.schema)
        writer.write_table(batch)
        yield sink.taken()
    writer.close()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that only grows, and is emptied on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def write(self, content: Any) -> int:
        part = bytes(content)
        self.parts.append(part)
        self.position += len(part)
        return len(part)

    def close(self) -> None:
        """Nothing: what is left is taken after the writer has closed."""

    def taken(self) -> bytes:
        content = b"".join(self.parts)
        self.parts.clear()
        return content


def _json(batches: Iterator[pyarrow.Table]) -> Iterator[bytes]:
    begun = False
    yield b"["
    for batch in batches:
        rows = ",\n".join(json.dumps(row, ensure_ascii=False, default=str) for row in plain_rows(batch))
        if rows:
            yield (",\n" if begun else "\n").encode() + rows.encode()
            begun = True
    yield b"\n]\n"


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if key == "passes" and isinstance(value, Mapping):
            flat |= {f"passes {name}": inner for name, inner in value.items()}
        else:
            flat[key] = json.dumps(value, ensure_ascii=False) if isinstance(value, (list, tuple, Mapping)) else value
    return flat


def _column(values: list[Any]) -> pyarrow.Array:
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):  # numbers and words in one column
        return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())
