"""``heldout watch``: what other tools logged of a training, its phases, and advice."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from heldout.faces.cli import audit_options as o

if TYPE_CHECKING:
    from heldout.engine.watching.logs.runs import Found

LogDir = Annotated[
    str,
    Argument(
        metavar="LOGDIR",
        help="Folder or file: TensorBoard events, .csv, .jsonl, trainer_state.json.",
        show_default=False,
    ),
]
Maps = Annotated[
    list[str] | None,
    Option("--map", metavar="THEIRS=OURS", help="What a scalar is, such as score=1-validation-error; may be repeated."),
]
StepName = Annotated[
    str, Option("--step", metavar="NAME", help="The column of the step, where its name does not say so.")
]
ValidationSize = Annotated[
    int | None, Option("--validation-size", metavar="NUMBER", help="Validation examples, for intervals and the limit.")
]
RunName = Annotated[
    str | None, Option("--run", metavar="NAME", help="Only the runs whose names hold this, of several in the folder.")
]
Stopped = Annotated[
    bool, Option("--stopped-early", help="Say that the validation data also decided when training ended.")
]
Follow = Annotated[bool, Option("--follow", help="Go on reading while the training writes; ends with Ctrl-C.")]
StorePlace = Annotated[str | None, Option("--store", metavar="DIR", help="Keep the readings here, as a watched run.")]
Report = Annotated[str | None, Option("--report", metavar="FILE", help="Write the page, one HTML file.")]
SECONDS = 2.0  # between looks at the files that are followed


def watch_command(
    logdir: LogDir,
    maps: Maps = None,
    step: StepName = "",
    validation_size: ValidationSize = None,
    run: RunName = None,
    stopped_early: Stopped = False,
    delta: o.Delta = "0.05",
    follow: Follow = False,
    store: StorePlace = None,
    report: Report = None,
    json: o.Json = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Read what a training logged: which phase it is in, which checkpoint to ship, what more of it would bring."""

    def job() -> None:
        from heldout.engine.watching.logs import read_runs
        from heldout.faces.cli.outputs import check_outputs, write_outputs
        from heldout.faces.cli.watch_store import LogKeeper
        from heldout.faces.cli.watched import record_of, selected, show_runs
        from heldout.faces.report.log import write_log_report

        given, level = _checked(maps, validation_size, delta)
        check_outputs(report or "", json or "", store or "")
        silent = quiet or json == "-"

        def read() -> "Found":
            return selected(read_runs(logdir, step=step, given=given, validation=validation_size), run)

        keeper = LogKeeper(store, validation_size) if store else None
        for place, found in enumerate(looks(read, logdir) if follow else (read(),)):
            if keeper is not None:
                keeper.add(found)
            record = record_of(found, logdir, validation_size, delta=level, adaptive=stopped_early)
            kept = keeper.finish(record) if keeper is not None and not follow else []
            try:
                if not silent and place == 0:
                    show_runs(record)
                for each in record["runs"] if not silent and place else []:
                    print(words_of_record(each), flush=True)
            finally:
                write_outputs(record, report or "", json or "", kept, quiet=silent or follow, writer=write_log_report)

    return job


def _checked(maps: list[str] | None, validation_size: int | None, delta: str) -> tuple[Mapping[str, str], float]:
    """The words of the command line as values; all faults are refused together."""
    from heldout.engine.watching.logs.naming import map_of
    from heldout.faces.cli.options import delta_of
    from heldout.records import Refusal, refuse

    faults: list[Refusal] = []
    given: dict[str, str] = {}
    level = 0.05
    for word in maps or []:
        try:
            given.update(map_of([word]))
        except Refusal as fault:
            faults.append(fault)
    try:
        level = delta_of(delta)
    except Refusal as fault:
        faults.append(fault)
    if validation_size is not None and not 1 <= validation_size < 2**53:
        faults.append(Refusal(
            given=f"--validation-size was {validation_size}", expected="a whole number from 1",
            do="pass the number of validation examples",
        ))  # fmt: skip
    refuse(faults)
    return given, level


def looks(read: Callable[[], "Found"], logdir: str, wait: Callable[[float], None] = time.sleep) -> Iterator["Found"]:
    """What is below a folder now, and again whenever it has changed.

    A look that costs much is taken seldom: at least nine tenths of the time are spent waiting.

    Args:
        read: Reads it.
        logdir: The folder or file.
        wait: Waits for some seconds.

    Yields:
        What was read.
    """
    before: object = None
    while True:
        begun = time.monotonic()
        now = signature(Path(logdir))
        if now != before:
            before = now
            yield read()
        wait(max(SECONDS, 9 * (time.monotonic() - begun)))


def signature(place: Path) -> object:
    """Changes when a log below a folder does.

    Args:
        place: The folder or file.

    Returns:
        Size and time of change of each.
    """
    from heldout.engine.watching.logs.finding import sources

    found = {}
    for source in sources(place):
        try:
            state = source.path.stat()
        except OSError:  # gone between the listing and now
            continue
        found[str(source.path)] = (state.st_size, state.st_mtime_ns)
    return found


def words_of_record(record: Mapping[str, Any]) -> str:
    """One line for somebody who follows.

    Args:
        record: Of one run.

    Returns:
        Such as ``"run, step 1,200: fitting; validation-loss 0.31; ship step 800"``.
    """
    phase = record["phases"][-1]["name"] if record["phases"] else "undecided"
    last = ", ".join(f"{row['name']} {row['last']:.4g}" for row in record["readings"] if row["last"] is not None)
    ship = "" if record["advice"]["step"] is None else f"; ship step {record['advice']['step']:,}"
    return f"{record['name']}, {record['unit']} {record['last_step']:,}: {phase}; {last}{ship}"
