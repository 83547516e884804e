"""The index: what all runs say in one table and all readings in another, kept up to date in the background."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import duckdb
import pyarrow

from heldout.engine.store import Store, result_names
from heldout.engine.store.packs import PACKED, SUMMARIES, Pack, pack_name, read_pack, read_packs, table_of
from heldout.engine.store.results import FOLDERS, blank
from heldout.faces.web.reading import Read, read_run, run_place, stamp
from heldout.faces.web.tables import Places, Tables, source

#: Looks without work after which a server is idle.
QUIET = 5
Told = Callable[[], None]


class Index:
    """Runs and readings of a store: names at once, all else as fast as it can be read, the newest first.

    Args:
        store: Whose.
        packed: Runs of a pack.
    """

    def __init__(self, store: Store, packed: int = PACKED) -> None:
        self.store, self.packed = store, packed
        self.version = 0
        self.names: dict[str, str] = {}
        self.packs: list[Pack] = []
        self.tables, self.places = Tables(), Places(store)
        self._known: set[str] = set()
        self._loose: dict[str, Read] = {}
        self._unsettled: dict[str, Any] = {}
        self._counts: Counter[str] = Counter()
        self._folders: dict[str, Any] = {}
        self._lock = threading.RLock()
        self.refresh()
        for folder in self.places.folders:
            self._take(read_packs(self.places.files, folder))

    @property
    def progress(self) -> tuple[int, int] | None:
        """Runs that filters see and runs in all; None where these are the same."""
        done, total = len(self._known & self.names.keys()), len(self.names)
        return None if done == total else (done, total)

    def refresh(self) -> None:
        """List the store again; new runs are there by name at once."""
        now = result_names(self.store)
        with self._lock:
            new, gone = now.keys() - self.names.keys(), self.names.keys() - now.keys()
            self.names = now
            if new:
                self.tables.put_runs(table_of([blank(now[run], run) for run in sorted(new)], SUMMARIES), indexed=False)
            if gone:
                self._forget(gone)
            self.version += bool(new or gone)

    def advance(self) -> bool:
        """Index one portion: the newest runs that are not indexed yet, and those that have changed.

        Returns:
            Whether a run was indexed for the first time; there may be more.
        """
        pending = sorted(self.names.keys() - self._known, reverse=True)
        changed = [run for run in list(self._unsettled) if self._stamp(run) != self._unsettled.get(run)]
        portion = pending[: len(pending) % self.packed or self.packed]
        if changed:
            self._add([self._read(run) for run in changed])
        if not portion or (len(portion) == self.packed and self._packed_by_others(portion)):
            return bool(portion)
        read = [self._read(run) for run in portion]
        pack = self._pack(read) if len(read) == self.packed and all(one.settled for one in read) else None
        if pack is not None:
            self._take([pack])
        else:
            self._add(read)
            self._repack()
        return True

    def ask(self, sql: str, values: Sequence[Any] = ()) -> pyarrow.Table:
        """Ask the tables ``runs`` and ``{readings}``.

        Args:
            sql: One statement; ``{readings}`` in it stands for the readings of all indexed runs.
            values: Of its question marks.

        Returns:
            The answer.
        """
        try:
            return self.tables.ask(sql.replace("{readings}", source(list(self.packs))), values)
        except duckdb.Error:  # somebody deleted packs or half of one, which is allowed
            self._reopen()
            return self.tables.ask(sql.replace("{readings}", source(list(self.packs))), values)

    def reading_names(self) -> list[dict[str, Any]]:
        """Readings and the number of runs that have each, the most frequent first."""
        with self._lock:
            counts = sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return [{"name": name, "count": count} for name, count in counts if count > 0]

    def follow(self, stop: threading.Event, told: Told, pause: float = 1.0, idle: Told | None = None) -> None:
        """Keep up with the store until told to stop: the work of a thread.

        Args:
            stop: Set at the end.
            told: Called after each change.
            pause: Seconds between two looks at a store that does not change.
            idle: Called once, when there was nothing to index for a while, so that nobody who just opened the pages waits for it.
        """
        quiet = 0
        while not stop.is_set():
            before, worked = self.version, False
            with suppress(OSError, duckdb.Error):  # a disk that is away for a moment; what is lacking is tried again
                if self._moved():
                    self.refresh()
                worked = self.advance()
            if self.version != before:
                told()
            quiet = 0 if worked else quiet + 1
            if quiet == QUIET and idle is not None:
                idle()
            if not worked:
                stop.wait(pause)

    def _moved(self) -> bool:
        """Whether a folder of the store has changed since the last look."""
        before, self._folders = self._folders, {folder: stamp(self.store, folder) for folder in FOLDERS.values()}
        return self._folders != before

    def _read(self, run: str) -> Read:
        return read_run(self.store, self.names.get(run, "audit"), run, self._loose.get(run))

    def _stamp(self, run: str) -> Any:
        return stamp(self.store, *run_place(self.names.get(run, "audit"), run))

    def _add(self, read: Sequence[Read]) -> None:
        """Runs that lie in no pack: their readings are held in memory."""
        with self._lock:
            found = {one.summary["run"]: one for one in read if one.summary["run"] in self.names}
            if not found:
                return
            self._let_go(found)
            self.tables.put_runs(table_of([one.summary for one in found.values()], SUMMARIES), indexed=True)
            self.tables.put_readings(pyarrow.concat_tables([one.readings for one in found.values()]), found)
            for run, one in found.items():
                self._loose[run] = one
                self._counts.update(one.names)
                if not one.settled:
                    self._unsettled[run] = self._stamp(run)
            self._known |= found.keys()
            self.version += 1

    def _repack(self) -> None:
        """Put the oldest loose runs into a pack when there are enough of them."""
        ready = sorted(run for run, one in self._loose.items() if one.settled)[: self.packed]
        pack = self._pack([self._loose[run] for run in ready]) if len(ready) == self.packed else None
        if pack is not None:
            with self._lock:
                self._unload(ready)
                self._known -= set(ready)
                self._take([pack])

    def _packed_by_others(self, portion: list[str]) -> bool:
        """Whether another server has packed these runs meanwhile."""
        for folder in self.places.folders:
            pack = read_pack(self.places.files, folder, pack_name(portion))
            if pack is not None:
                self._take([pack])
                return True
        return False

    def _take(self, packs: list[Pack]) -> None:
        with self._lock:
            for pack in packs:
                runs = pack.runs.column("run").to_pylist()
                if not self._known.intersection(runs):
                    self.packs.append(pack)
                    self._known.update(runs)
                    self._counts.update(pack.names)
                    still = pyarrow.array([run in self.names for run in runs], pyarrow.bool_())
                    self.tables.put_runs(pack.runs.filter(still), indexed=True)
            self.version += 1

    def _pack(self, read: Sequence[Read]) -> Pack | None:
        summaries = table_of([one.summary for one in read], SUMMARIES)
        return self.places.write(summaries, pyarrow.concat_tables([one.readings for one in read]))

    def _reopen(self) -> None:
        """Forget packs that are no longer whole; their runs are indexed again."""
        with self._lock:
            for pack in list(self.packs):
                folder, _, name = pack.readings.rpartition("/")
                if read_pack(self.places.files, folder, name.removesuffix(".readings.parquet")) is None:
                    self.packs.remove(pack)
                    self._known -= set(pack.runs.column("run").to_pylist())
                    self._counts.subtract(pack.names)
            self.version += 1

    def _forget(self, runs: Iterable[str]) -> None:
        gone = set(runs)
        self.tables.drop("runs", gone)
        self._unload(gone)
        self._known -= gone

    def _unload(self, runs: Iterable[str]) -> None:
        """What is held in memory of these runs, and their rows."""
        held = self._let_go(runs)
        if held:
            self.tables.drop("fresh", held)

    def _let_go(self, runs: Iterable[str]) -> list[str]:
        held = [run for run in runs if run in self._loose]
        for run in held:
            self._counts.subtract(self._loose.pop(run).names)
            self._unsettled.pop(run, None)
        return held
