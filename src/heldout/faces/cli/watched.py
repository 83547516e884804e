"""Runs of logs as a record and in the terminal."""

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
    last = int(run.table["step"].to_numpy().max())
    theirs = {meaning.ours: meaning.theirs for meaning in run.meanings}
    return {
        "name": run.name,
        "source": run.kind,
        "unit": run.unit,
        "last_step": last,
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
    steps, values = rows["step"].to_numpy(), rows["value"].to_numpy(dtype=float)
    there = values == values
    best = int(values[there].argmin()) if there.any() else None
    return {
        "name": name,
        "theirs": theirs,
        "points": len(rows),
        "last": None if best is None else float(values[there][-1]),
        "lowest": None if best is None else float(values[there][best]),
        "lowest_at": None if best is None else int(steps[there][best]),
        "not_finite": int((~there).sum()),
    }


def plain_rows(table: "pandas.DataFrame") -> list[dict[str, Any]]:
    """Rows as plain values; a missing number is None.

    Args:
        table: Any.
    """
    return [
        {str(key): None if isinstance(value, float) and value != value else value for key, value in row.items()}
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
