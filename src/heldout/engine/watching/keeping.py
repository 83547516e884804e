"""A watched run in the store: rows are handed over, a thread of their own writes them."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from heldout.engine.store import Store
from heldout.engine.store.trajectories import begin_trajectory, finish_trajectory, keep_segment
from heldout.engine.watching.rows import Row, segment

HALF_A_SECOND = 0.5
PATIENCE = 10.0  # seconds that the end of a run waits for a disk
RETRIES = 5.0  # seconds until a disk that refused is tried again


class Keeper:
    """Writes a run as it grows, at most twice a second, and loses nothing while it lives.

    A process that is killed leaves all but the last half second; a disk that refuses is tried again, and what it refused is kept in
    memory until it takes it or the run ends.

    Args:
        url: Of the store. A place where nothing can be written is refused here.
        about: What is said of the run.

    Example:
        >>> from heldout.engine.store.trajectories import read_trajectory
        >>> keeper = Keeper("memory://a-watched-example", {"kind": "watch"})
        >>> keeper.add([Row.of(step, 0.0, {"name": "loss", "value": 1.0}) for step in range(3)])
        >>> keeper.finish({"outcome": "finished"})
        >>> len(read_trajectory(keeper.store, keeper.run))
        3
    """

    def __init__(self, url: str, about: Mapping[str, Any]) -> None:
        self.store = Store(url)
        self.store.check_writable()
        self.run = begin_trajectory(self.store, about)
        self.fault = ""
        self.seconds = 0.0  # of processor time that the thread took
        self._rows: list[Row] = []
        self._last = -1
        self._change = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="heldout watch", daemon=True)
        self._thread.start()

    def add(self, rows: Sequence[Row]) -> None:
        """Hand over rows; returns at once.

        Args:
            rows: In the order of steps.
        """
        if rows:
            with self._change:
                self._rows.extend(rows)
                self._change.notify()

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Write what is left and how the run ended.

        Args:
            outcome: Plain values.
        """
        with self._change:
            self._ending = True
            self._change.notify()
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            try:
                finish_trajectory(self.store, self.run, outcome)
            except Exception as error:
                self.fault = self.fault or _said(self.store.url, error)

    def _work(self) -> None:
        while True:
            with self._change:
                while not (self._rows or self._ending):
                    self._change.wait()
                rows, self._rows = self._rows, []
                ending = self._ending
            written = self._write(rows) if rows else True
            if not written:
                with self._change:
                    self._rows = rows + self._rows
            if ending and (not written or not self._rows):
                return
            with self._change:
                if not self._ending:
                    self._change.wait_for(lambda: self._ending, HALF_A_SECOND if written else RETRIES)

    def _write(self, rows: list[Row]) -> bool:
        begun = time.thread_time()
        name = max(rows[-1].step, self._last + 1)  # a segment is never written over
        try:
            keep_segment(self.store, self.run, name, segment(rows))
        except Exception as error:  # a full disk, a store that went away: training goes on
            self.fault = _said(self.store.url, error)
            return False
        else:
            self._last = name
            return True
        finally:
            self.seconds += time.thread_time() - begun


def _said(url: str, error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"store '{url}' could not be written to ({words}); training goes on, and it is tried again"
