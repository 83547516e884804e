"""Logs as the runs that they are of, in the table of a watched run."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from heldout.engine.watching.logs.finding import FORMATS, Source, sources
from heldout.engine.watching.logs.naming import OURS, Meaning, meanings, translated
from heldout.engine.watching.logs.scalars import Log, Series, joined
from heldout.engine.watching.logs.tables import table_of
from heldout.records import Refusal, refuse

if TYPE_CHECKING:
    import pandas

MOST_SAID = 5  # files whose faults are said one by one


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One training, as far as a log tells.

    Attributes:
        name: The folder or file below the one that was named.
        kind: Of the log, such as ``"event file"``.
        table: Rows of its readings, with the columns of a watched run.
        meanings: Which of their scalars is which of ours.
        left: Names that could have been one of ours too.
        scalars: How many scalars the log has.
        notes: Sentences on what was left out.
        unit: Of the steps, ``"step"`` or ``"epoch"``.
    """

    name: str
    kind: str
    table: "pandas.DataFrame"
    meanings: tuple[Meaning, ...]
    left: tuple[str, ...]
    scalars: int
    notes: tuple[str, ...]
    unit: str


class Found(NamedTuple):
    """Everything below a folder.

    Attributes:
        runs: In the order of their names.
        notes: On files that were no logs.
    """

    runs: tuple[Run, ...]
    notes: tuple[str, ...]


def read_runs(
    place: str | Path, *, step: str = "", given: Mapping[str, str] | None = None, validation: int | None = None
) -> Found:
    """The runs below a folder.

    Args:
        place: Folder or file.
        step: The column of the step; found by its name unless given.
        given: Theirs -> ours, by hand.
        validation: Validation examples, which give validation errors their exact intervals.

    Returns:
        Runs, and what was said of files that were no logs.

    Raises:
        Refusal: If there is no run, or a name given by hand is in none.
    """
    listed = sources(Path(place))
    runs: list[Run] = []
    faults: list[Refusal] = []
    seen: set[str] = set()
    for (name, kind), each in groupby(listed, key=lambda source: (source.run, source.kind)):
        logs: list[Log] = []
        for source in each:
            try:
                logs.append(_read(source, step))
            except Refusal as fault:
                faults.append(fault)
            except OSError as error:
                faults.append(_unreadable(source, error))
        if logs:
            log = joined(logs)
            seen |= set(log.series)
            run = run_of(name, kind, log, given or {}, validation)
            if len(run.table):
                runs.append(run)
            else:
                faults.append(_nothing(name, log))
    if not listed or (faults and not runs):
        refuse(faults[:MOST_SAID] or [Refusal(
            given=f"'{place}' holds no log", expected="event files, .csv, .jsonl or trainer_state.json",
            do="pass the folder that your training logs into",
        )])  # fmt: skip
    unknown = [theirs for theirs in given or {} if theirs not in seen]
    if unknown:
        some = ", ".join(sorted(seen)[:12]) + (", ..." if len(seen) > 12 else "")
        raise Refusal(
            given=f"--map named '{unknown[0]}'", expected=f"a name of the log: {some}", do="choose one of these"
        )
    return Found(tuple(runs), tuple(str(fault) for fault in faults))


def run_of(name: str, kind: str, log: Log, given: Mapping[str, str], validation: int | None) -> Run:
    """One run from its log.

    Args:
        name: Of the run.
        kind: Of the log.
        log: Its scalars.
        given: Theirs -> ours, by hand.
        validation: Validation examples.

    Returns:
        The run; its table is empty where no scalar is one of ours.
    """
    found, left = meanings(sorted(log.series), given)
    ours: dict[str, Series] = {}
    notes = list(log.notes)
    for meaning in found:
        series, note = translated(log.series[meaning.theirs], meaning)
        notes += [note] if note else []
        if series is not None:
            ours[meaning.ours] = series
    taken = tuple(meaning for meaning in found if meaning.ours in ours)
    return Run(name, kind, table_of(ours, validation), taken, tuple(left), len(log.series), tuple(notes), log.unit)


def _read(source: Source, step: str) -> Log:
    log = FORMATS[source.kind][1](source.path, step)
    return log._replace(series={f"{source.prefix}{name}": series for name, series in log.series.items()})


def _unreadable(source: Source, error: OSError) -> Refusal:
    return Refusal(
        given=f"'{source.path.name}' could not be read ({error.strerror or error})", expected="a file that may be read",
        do="see to its permissions",
    )  # fmt: skip


def _nothing(name: str, log: Log) -> Refusal:
    some = ", ".join(sorted(log.series)[:8]) + (", ..." if len(log.series) > 8 else "")
    return Refusal(
        given=f"'{name}' has no loss or error of training or validation data among {some or 'its scalars'}",
        expected=f"names that say {', '.join(OURS)}", do="say what they are with --map THEIRS=OURS",
    )  # fmt: skip
