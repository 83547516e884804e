"""Runs of logs as a record, in the terminal and in the store."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heldout._version import __version__
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas

    from heldout.engine.watching.logs.runs import Found, Run

CURVES = ("step", "name", "member", "value", "low", "high")
WHOLE = 3  # runs that are shown one by one; more get a line each


def selected(found: "Found", name: str | None) -> "Found":
    """The runs that were asked for.

    Args:
        found: All.
        name: What their names hold; None for all.

    Raises:
        Refusal: If none does.
    """
    if name is None:
        return found
    runs = tuple(run for run in found.runs if name in run.name)
    if not runs:
        some = ", ".join(run.name for run in found.runs[:6])
        raise Refusal(given=f"--run was '{name}'", expected=f"part of a run's name: {some}", do="choose one of these")
    return found._replace(runs=runs)


def record_of(found: "Found", logdir: str, validation: int | None, *, delta: float, adaptive: bool) -> dict[str, Any]:
    """Everything as plain values.

    Args:
        found: The runs.
        logdir: Where they were found.
        validation: Validation examples.
        delta: Of the limits.
        adaptive: Whether the validation data also decided when training ended.
    """
    settings: dict[str, Any] = {"examples": validation, "delta": delta, "adaptive": adaptive}
    return {
        "heldout": __version__,
        "kind": "log",
        "logdir": logdir,
        "validation": validation,
        "runs": [_run(run, settings) for run in found.runs],
        "notes": list(found.notes),
    }


def _run(run: "Run", settings: Mapping[str, Any]) -> dict[str, Any]:
    from heldout.engine.watching.advice import advise
    from heldout.engine.watching.logs.tables import thinned
    from heldout.engine.watching.phases import phases

    shown = thinned(run.table)
    stretches = phases(shown)
    theirs = {meaning.ours: meaning.theirs for meaning in run.meanings}
    return {
        "name": run.name,
        "source": run.kind,
        "unit": run.unit,
        "last_step": int(run.table["step"].max()),
        "readings": [
            reading(str(name), theirs.get(str(name), ""), rows) for name, rows in run.table.groupby("name", sort=False)
        ],
        "curves": plain_rows(shown[list(CURVES)]),
        "phases": [
            {"name": each.name, "begin": each.begin, "end": each.end, "confidence": each.confidence,
             "detected": each.detected, "why": each.why}
            for each in stretches
        ],
        "advice": advise(run.table, phases=stretches, **settings).to_dict(),
        "left": list(run.left),
        "scalars": run.scalars,
        "notes": list(run.notes),
    }  # fmt: skip


def reading(name: str, theirs: str, rows: "pandas.DataFrame") -> dict[str, Any]:
    """One reading in short.

    Args:
        name: Ours.
        theirs: Its name in the log; empty for what was computed from others.
        rows: Of it, by step.
    """
    there = rows[rows["value"].notna()]
    best = there.loc[there["value"].idxmin()] if len(there) else None
    return {
        "name": name,
        "theirs": theirs,
        "points": len(rows),
        "last": float(there["value"].iloc[-1]) if len(there) else None,
        "lowest": None if best is None else float(best["value"]),
        "lowest_at": None if best is None else int(best["step"]),
        "not_finite": int(rows["value"].isna().sum()),
    }


def plain_rows(table: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Rows as plain values; a missing number is None.

    Args:
        table: Any.
    """
    return [
        {key: None if isinstance(value, float) and value != value else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def show_runs(record: Mapping[str, Any]) -> None:
    """Print the runs.

    Args:
        record: What :func:`record_of` gave.
    """
    import typer

    from heldout.faces.cli.tables import print_table
    from heldout.faces.numbers import number

    runs = record["runs"]
    if len(runs) > WHOLE:
        rows = [
            (run["name"], f"{run['last_step']:,}", phase_now(run), number(best_of(run)), step_of(run)) for run in runs
        ]
        print_table(("run", "step", "phase", "lowest validation", "ship"), rows)
        typer.echo("One of them in full: --run NAME.")
    for run in runs if len(runs) <= WHOLE else []:
        print_table(
            ("reading", "in the log", "points", "last", "lowest", "at"),
            [
                (row["name"], row["theirs"], str(row["points"]), number(row["last"]), number(row["lowest"]),
                 "" if row["lowest_at"] is None else f"{row['lowest_at']:,}")
                for row in run["readings"]
            ],
            title=f"{run['name']} ({run['source']}, {run['unit']} {run['last_step']:,})",
        )  # fmt: skip
        for phase in run["phases"]:
            end = "now" if phase["end"] is None else f"{phase['end']:,}"
            typer.echo(f"{phase['name']} from {phase['begin']:,} to {end}: {phase['why']}")
        for sentence in run["advice"]["sentences"].values():
            typer.echo(sentence)
        for note in run["notes"]:
            typer.echo(f"note: {note}")
        if run["left"]:
            typer.echo(f"note: not taken, though they could be meant: {', '.join(run['left'][:6])}; --map chooses.")
    for note in record["notes"]:
        typer.echo(f"note: {note}")


def phase_now(run: Mapping[str, Any]) -> str:
    """The phase that a run is in.

    Args:
        run: Of the record.
    """
    return str(run["phases"][-1]["name"]) if run["phases"] else "undecided"


def best_of(run: Mapping[str, Any]) -> float | None:
    """What the checkpoint to ship shows on validation data.

    Args:
        run: Of the record.
    """
    selection = run["advice"]["selection"]
    return None if selection is None else selection["seen"]


def step_of(run: Mapping[str, Any]) -> str:
    """The step of the checkpoint to ship.

    Args:
        run: Of the record.
    """
    return "" if run["advice"]["step"] is None else f"{run['advice']['step']:,}"


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
            latest = int(run.table["step"].max())
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
