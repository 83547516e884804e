"""``heldout judge``: which measures predict, by every criterion."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from heldout.faces.cli import audit_options as o

if TYPE_CHECKING:
    from heldout.verbs.judgement import Judgement

LedgerFile = Annotated[
    str | None,
    Option(
        "--ledger",
        metavar="TABLE",
        help="Parquet or CSV: a row a network, hp.<name>, seed, measure.<name>, gap; or atlas.",
    ),
]
Population = Annotated[
    str | None,
    Option("--population", metavar="STORE", help="The store of a sweep, whose networks are measured; or atlas."),
]
Target = Annotated[str, Option("--target", metavar="NAME", help="gap (default), accuracy, loss or shift-accuracy.")]
Criteria = Annotated[
    list[str] | None, Option("--criterion", metavar="NAME", help="Such as kendall; may be repeated; all if not said.")
]
Measures = Annotated[
    list[str] | None,
    Option("--measure", metavar="MODULE:FUNCTION", help="A measure of your own, with --population; may be repeated."),
]
Thorough = Annotated[
    bool, Option("--thorough", help="With --population: also what is dear, such as second derivatives.")
]
ByAxis = Annotated[bool, Option("--by-axis", help="Also each measure on each hyper-parameter.")]
Claims = Annotated[bool, Option("--claims", help="Also claims of the literature, held against this ledger.")]
Factory = Annotated[
    str | None,
    Option("--network", metavar="MODULE:FACTORY", help="With --population, where the store does not know it."),
]
Train = Annotated[
    str | None, Option("--train", metavar="DATA", help="Training data, where the store did not keep them.")
]
Test = Annotated[str | None, Option("--test", metavar="DATA", help="Test data, likewise.")]
Shift = Annotated[str | None, Option("--shift", metavar="DATA", help="Data from elsewhere, for shift-accuracy.")]
Report = Annotated[str | None, Option("--report", metavar="FILE", help="Write the page, one HTML file.")]


def judge_command(
    ledger: LedgerFile = None,
    population: Population = None,
    target: Target = "gap",
    criteria: Criteria = None,
    measures: Measures = None,
    thorough: Thorough = False,
    by_axis: ByAxis = False,
    claims: Claims = False,
    network: Factory = None,
    train: Train = None,
    test: Test = None,
    shift: Shift = None,
    seed: o.Seed = "0",
    report: Report = None,
    json: o.Json = None,
    store: o.ResultStore = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Judge measures of generalization: scores, nulls, intervals, the ceiling, and a verdict on each."""

    def job() -> None:
        from heldout.faces.cli.audit import clean_output
        from heldout.faces.cli.judging import show_judgement
        from heldout.faces.cli.options import seed_of
        from heldout.faces.cli.outputs import check_outputs, keep_result, write_outputs
        from heldout.faces.cli.progress import progress_bar
        from heldout.faces.report import write_judgement_report

        source = _source(ledger, population)
        own = {"network": network, "--train": train, "--test": test, "--shift": shift}
        _check(ledger, population, {**own, "--measure": measures, "--thorough": thorough})
        check_outputs(report or "", json or "", store or "")
        # a stranger's measure may print
        with clean_output(json or ""), progress_bar(quiet, "", doing="judging") as tell:
            found = _judged(
                source, own, target=target, criteria=tuple(criteria or ()), measures=tuple(measures or ()),
                thorough=thorough, claims=claims, seed=seed_of(seed), progress=tell,
            )  # fmt: skip
        record, silent = found.to_dict(), quiet or json == "-"
        try:
            if not silent:
                show_judgement(record, by_axis=by_axis)
        finally:  # what took long is written whatever happens to the terminal
            kept = [f"ledger: {found.kept}"] if found.kept else []
            kept += keep_result("judgement", record, store or "")
            write_outputs(record, report or "", json or "", kept, quiet=silent, writer=write_judgement_report)

    return job


def _source(ledger: str | None, population: str | None) -> str:
    from heldout.records import Refusal

    if (ledger is None) is (population is None):
        raise Refusal(
            given=f"--ledger was {_said(ledger)} and --population {_said(population)}",
            expected="one of the two",
            do="pass a table of networks with --ledger, or the store of a sweep with --population",
        )
    return ledger or population or ""


def _check(ledger: str | None, population: str | None, given: Mapping[str, Any]) -> None:
    """Refuse what only networks can answer, where there are none; and a table that is said to be a population."""
    from pathlib import Path

    from heldout.records import Refusal

    idle = [f"--{name.removeprefix('--')}" for name, value in given.items() if value]
    if ledger is not None and idle:
        raise Refusal(
            given=f"{', '.join(idle)} {'was' if len(idle) == 1 else 'were'} given with --ledger, and a table holds no networks",
            expected="--population with the store of a sweep, whose networks can be measured",
            do="judge the population, or leave the option out",
        )
    if ledger is not None and ledger != "atlas" and Path(ledger).suffix.lower() not in (".parquet", ".csv"):
        raise Refusal(
            given=f"--ledger was '{ledger}'", expected="a .parquet or .csv file, or atlas", do="check the path"
        )
    if population is not None and Path(population).suffix.lower() in (".parquet", ".csv"):
        raise Refusal(
            given=f"--population was the table '{population}'", expected="the store of a sweep", do="use --ledger"
        )


def _said(value: str | None) -> str:
    return "not given" if value is None else f"'{value}'"


def _judged(source: str, own: Mapping[str, str | None], **settings: Any) -> "Judgement":
    """Open what was named, then judge."""
    from heldout.engine.subject.loading import load_examples
    from heldout.verbs.judge import judge

    data: dict[str, Any] = {}
    train = None if own["--train"] is None else load_examples(own["--train"], "train")
    if train is not None:
        data["train"] = train.examples
    for name in ("test", "shift"):
        place = own[f"--{name}"]
        if place is not None:
            data[name] = load_examples(place, name, like=train).examples
    return judge(source, network=own["network"] or "", **data, **settings)
