"""The store itself: what is written, and how it is found again."""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
from fsspec.implementations.local import LocalFileSystem

from heldout._version import __version__
from heldout.engine.store.segments import check_writable, listed, opened, publish
from heldout.engine.store.tables import readings_segment, sql_columns
from heldout.records import Refusal

#: Version of the layout. A store of a later layout is refused; an earlier one is always readable.
LAYOUT = 1
RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")


class Store:
    """A folder of immutable records and readings.

    Args:
        url: A directory, or any URL that fsspec knows; it need not exist.

    Raises:
        Refusal: If the URL is not understood, or a later heldout wrote the store.

    Example:
        >>> store = Store("memory://an-empty-example")
        >>> store.runs()
        []
        >>> run = store.write_audit({"heldout": "0", "verdict": {}, "subject": {"name": "mlp"}, "readings": []})
        >>> [row["subject"] for row in store.runs()], store.read_audit(run)["heldout"]
        (['mlp'], '0')
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files, self.path = opened(url)
        written = self._layout()
        if written > LAYOUT:
            raise Refusal(
                given=f"store '{url}' has layout {written}",
                expected=f"at most {LAYOUT}",
                do="upgrade heldout to read it",
            )

    @property
    def exists(self) -> bool:
        """Whether anybody ever wrote a store here."""
        return bool(self.files.exists(f"{self.path}/store.json"))

    def check_writable(self) -> None:
        """Refuse a place where nothing can be written; writes nothing."""
        check_writable(self.files, self.path, self.url)

    def begin(self) -> None:
        """Say that this is a store, and of which layout, where nobody has yet."""
        if not self.exists:
            layout = {"store": LAYOUT, "heldout": __version__}
            publish(self.files, f"{self.path}/store.json", json.dumps(layout).encode())

    def write_audit(self, record: Mapping[str, Any]) -> str:
        """Keep a record; a process killed meanwhile leaves either all of it or nothing that a reader sees.

        Args:
            record: What ``Audit.to_dict`` gave.

        Returns:
            The run's name.
        """
        run, content = named(record)
        self.begin()
        publish(self.files, f"{self.path}/readings/{run}.parquet", readings_segment(run, record))
        publish(self.files, f"{self.path}/runs/{run}.json", content)
        return run

    def names(self) -> list[str]:
        """The runs' names, oldest first."""
        return [name for name in listed(self.files, f"{self.path}/runs", ".json") if RUN.fullmatch(name)]

    def runs(self) -> list[dict[str, Any]]:
        """What is stored, oldest first: run, written (ISO 8601), subject, members, headline, heldout."""
        return [self._summary(name) for name in self.names()]

    def read_audit(self, run: str) -> dict[str, Any]:
        """A record.

        Args:
            run: Its name, or a beginning or an end of it that no other run shares.

        Returns:
            What was written.
        """
        return json.loads(self.files.cat_file(f"{self.path}/runs/{self.find(run)}.json"))

    def find(self, run: str) -> str:
        """The whole name of a run. Only names that are listed are ever opened, so none leads out of the store.

        Args:
            run: A name, or a beginning or an end of one.

        Returns:
            The name.
        """
        return matched(run, self.names(), self.url)

    def readings(self) -> duckdb.DuckDBPyRelation:
        """All readings of all runs, one row a run, reading and member: a DuckDB relation (``.filter``, ``.df()``)."""
        kept = sorted(set(self.names()) & set(listed(self.files, f"{self.path}/readings", ".parquet")))
        connection = duckdb.connect()
        if not kept:
            return connection.sql(f"SELECT {sql_columns()} WHERE false")
        local = isinstance(self.files, LocalFileSystem)
        if not local:
            connection.register_filesystem(self.files)
        paths = [f"{self.path}/readings/{run}.parquet" for run in kept]
        places = paths if local else [str(self.files.unstrip_protocol(path)) for path in paths]
        return connection.read_parquet(places, union_by_name=True)

    def _layout(self) -> int:
        try:
            content = self.files.cat_file(f"{self.path}/store.json")
        except (FileNotFoundError, NotADirectoryError):
            return 0
        try:
            return int(json.loads(content)["store"])
        except (ValueError, TypeError, KeyError):
            raise Refusal(
                given=f"store '{self.url}' has a store.json that heldout did not write",
                expected="a heldout store or an empty folder",
                do="pass another folder",
            ) from None

    def _summary(self, name: str) -> dict[str, Any]:
        record = json.loads(self.files.cat_file(f"{self.path}/runs/{name}.json"))
        written = datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return {
            "run": name,
            "written": written.isoformat(),
            "subject": record["subject"].get("name", ""),
            "members": record["subject"].get("members"),
            "headline": record["verdict"].get("headline", ""),
            "heldout": record["heldout"],
        }


def named(record: Mapping[str, Any]) -> tuple[str, bytes]:
    """A record's name and its text.

    Args:
        record: Plain values.

    Returns:
        The time of writing with twelve digits of the content's hash, and the content.
    """
    content = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{now}-{hashlib.sha256(content).hexdigest()[:12]}", content


def matched(run: str, names: Sequence[str], url: str) -> str:
    """The one name that is meant.

    Args:
        run: A name, or a beginning or an end of one.
        names: Those that are listed.
        url: Of the store, as the user said it.

    Returns:
        One of the names.

    Raises:
        Refusal: If there is no such run, with the nearest names, or more than one.
    """
    found = [name for name in names if name == run] or [
        name for name in names if run and (name.startswith(run) or name.endswith(run))
    ]
    if len(found) == 1:
        return found[0]
    near = found[:3] or difflib.get_close_matches(run, names, n=3, cutoff=0.3) or names[-3:]
    several = f" ({len(found)} runs are called so)" if found else ""
    raise Refusal(
        given=f"run was '{run}'{several}",
        expected=f"a run of '{url}' such as {', '.join(near)}" if near else f"a run, and '{url}' has none",
        do="see them with 'heldout runs'",
    )
