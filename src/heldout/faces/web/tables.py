"""The two tables of the index in DuckDB, and where their packs may lie."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow
from fsspec.implementations.local import LocalFileSystem

from heldout.engine.store import Store
from heldout.engine.store.packs import READINGS, SUMMARIES, Pack, write_pack

SQL = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}


class Tables:
    """``runs``, and ``fresh``: the readings of runs that lie in no pack."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute(f"CREATE TABLE runs ({_columns(SUMMARIES)}, indexed BOOLEAN)")
        self.database.execute(f"CREATE TABLE fresh ({_columns(READINGS)})")

    def put_runs(self, table: pyarrow.Table, *, indexed: bool) -> None:
        """Write rows of runs in place of what was known of them.

        Args:
            table: Summaries.
            indexed: Whether their readings are known.
        """
        flag = pyarrow.array([indexed] * table.num_rows, pyarrow.bool_())
        self._replace("runs", table.append_column("indexed", flag), table.column("run").to_pylist())

    def put_readings(self, table: pyarrow.Table, runs: Iterable[str]) -> None:
        """Write readings in place of those that were known: who asks meanwhile sees the old ones or the new ones.

        Args:
            table: Readings.
            runs: Whose readings these are, also where there are none any more.
        """
        self._replace("fresh", table, runs)

    def drop(self, name: str, runs: Iterable[str]) -> None:
        """Remove rows.

        Args:
            name: Of the table.
            runs: Whose.
        """
        self.database.cursor().execute(f"DELETE FROM {name} WHERE run IN (SELECT unnest(?))", [sorted(runs)])

    def ask(self, sql: str, values: Sequence[Any]) -> pyarrow.Table:
        """Ask.

        Args:
            sql: One statement.
            values: Of its question marks.

        Returns:
            The answer.
        """
        return self.database.cursor().sql(sql, params=list(values)).to_arrow_table()

    def _replace(self, name: str, table: pyarrow.Table, runs: Iterable[str]) -> None:
        cursor = self.database.cursor()
        cursor.register("incoming", table)
        cursor.execute("BEGIN")
        cursor.execute(f"DELETE FROM {name} WHERE run IN (SELECT unnest(?))", [sorted(runs)])
        cursor.execute(f"INSERT INTO {name} SELECT * FROM incoming")
        cursor.execute("COMMIT")
        cursor.unregister("incoming")


class Places:
    """Where packs lie: in the store if it is a folder of this machine, else, or if that is full, in a temporary folder.

    Args:
        store: Whose.
    """

    def __init__(self, store: Store) -> None:
        self.files = LocalFileSystem()
        own = isinstance(store.files, LocalFileSystem)
        self.folders = [f"{store.path}/packs"] if own else []
        self._temporary = ""

    def write(self, summaries: pyarrow.Table, readings: pyarrow.Table) -> Pack | None:
        """Write a pack where there is room.

        Args:
            summaries: One row a run.
            readings: Of these runs.

        Returns:
            The pack; None where no disk takes it.
        """
        for folder in list(self.folders):
            with suppress(OSError):
                return write_pack(self.files, folder, summaries, readings)
        if not self._temporary:
            with suppress(OSError):
                self._temporary = tempfile.mkdtemp(prefix="heldout-packs-")
                weakref.finalize(self, shutil.rmtree, self._temporary, ignore_errors=True)
                self.folders.append(self._temporary)
                return write_pack(self.files, self._temporary, summaries, readings)
        return None


def source(packs: Iterable[Pack]) -> str:
    """All readings as SQL.

    Args:
        packs: Those that are in use.

    Returns:
        A relation in brackets.
    """
    columns = ", ".join(READINGS.names)
    places = ", ".join("'" + pack.readings.replace("'", "''") + "'" for pack in packs)
    packed = f"SELECT {columns} FROM read_parquet([{places}]) UNION ALL " if places else ""
    return f"({packed}SELECT {columns} FROM fresh)"


def _columns(schema: pyarrow.Schema) -> str:
    return ", ".join(f"{column.name} {SQL[str(column.type)]}" for column in schema)
