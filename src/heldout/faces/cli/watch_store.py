"""Runs of logs in the store, each as a watched run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heldout._version import __version__
from heldout.faces.cli.watched import plain_rows

if TYPE_CHECKING:
    from heldout.engine.watching.logs.runs import Found


class LogKeeper:
    """Keeps runs of logs in a store, each as a watched run; what was kept once is never written again.

    While a log is followed, rows of its latest step wait until a later one has come: what belongs to a step may be logged after it.

    Args:
        url: Of the store.
        validation: Validation examples.
    """

    def __init__(self, url: str, validation: int | None) -> None:
        from heldout.engine.store import Store

        self.store = Store(url)
        self.validation = validation
        self._runs: dict[str, str] = {}
        self._kept: dict[str, set[tuple[str, int]]] = {}
        self._last: dict[str, int] = {}
        self._waiting: dict[str, list[dict[str, Any]]] = {}

    def add(self, found: "Found") -> None:
        """Keep what is new, but for the latest step of each run.

        Args:
            found: The runs as they are now.
        """
        from datetime import UTC, datetime

        from heldout.engine.store.trajectories import begin_trajectory

        for run in found.runs:
            if run.name not in self._runs:
                about = {"kind": "log", "name": run.name, "network": "", "parameters": None, "train": None,
                         "validation": self.validation, "steps": None, "budget": None,
                         "started": datetime.now(UTC).isoformat(), "heldout": __version__}  # fmt: skip
                self._runs[run.name] = begin_trajectory(self.store, about)
                self._kept[run.name], self._last[run.name] = set(), -1
            kept = self._kept[run.name]
            new = [row for row in plain_rows(run.table) if (row["name"], row["step"]) not in kept]
            latest = int(run.table["step"].to_numpy().max())
            self._waiting[run.name] = [row for row in new if row["step"] >= latest]
            self._write(run.name, [row for row in new if row["step"] < latest])

    def finish(self, record: Mapping[str, Any]) -> list[str]:
        """Keep the rest; returns lines on what was kept.

        Args:
            record: Of all runs.
        """
        from heldout.engine.store.trajectories import finish_trajectory

        advice = {run["name"]: run["advice"] for run in record["runs"]}
        for name, run in self._runs.items():
            self._write(name, self._waiting[name])
            outcome = {"outcome": "read from a log", "seconds": None, "overhead": None, "advice": advice.get(name)}
            finish_trajectory(self.store, run, outcome, b"")
        return [f"kept in {self.store.url}: {run}" for run in self._runs.values()]

    def _write(self, name: str, rows: list[dict[str, Any]]) -> None:
        from heldout.engine.store.trajectories import keep_step

        if rows:
            step = max(rows[-1]["step"], self._last[name] + 1)  # a segment is never written over
            keep_step(self.store, self._runs[name], step, rows)
            self._last[name] = step
            self._kept[name] |= {(row["name"], row["step"]) for row in rows}
