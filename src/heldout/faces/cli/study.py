"""``heldout study``: list, run and show phenomena of the literature."""

import json as jsonlib
from collections.abc import Callable
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Phenomena of the literature: run one, and get its figure and a verdict on each published claim.",
    no_args_is_help=True,
)
DEFAULT_STORE = "runs"
#: What is no field of any grid, and how it is said instead.
OPTIONS = {
    "name": "'heldout study run NAME'", "size": "--size", "seed": "--seed", "data": "--data", "network": "--network",
    "store": "--store", "memory": "--memory", "progress": "--quiet",
}  # fmt: skip
Name = Annotated[str, typer.Argument(help="The study's name; see 'heldout study list'.")]


@app.command("list")
def list_command(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> Callable[[], None]:
    """The studies, their questions and their sources."""

    def job() -> None:
        from heldout.catalog import units

        rows = [
            {"name": unit.name, "question": unit.summary, "source": unit.source, "claims": len(unit.fields["claims"])}
            for unit in units("study").values()
        ]
        if json:
            typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
            return
        from heldout.faces.cli.tables import print_table

        columns = ("name", "claims", "question")
        print_table(columns, [[str(row[column]) for column in columns] for row in rows])

    return job


@app.command("run")
def run_command(
    name: Name,
    size: Annotated[str, typer.Option(metavar="SIZE", help="smoke, laptop or paper.")] = "laptop",
    seed: Annotated[str, typer.Option(metavar="N", help="Of every random stream.")] = "0",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Another value for a field of the grid, as JSON; repeatable."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Your own training data, where the study takes data.")
    ] = None,
    test: Annotated[str | None, typer.Option(metavar="SOURCE", help="Your own test data, with --data.")] = None,
    network: Annotated[
        str | None, typer.Option(metavar="PACKAGE.MODULE:FACTORY", help="Your own network, where the study takes one.")
    ] = None,
    store: Annotated[
        str, typer.Option(metavar="DIR", help="Finished cells and the record are kept here; a stopped study goes on.")
    ] = DEFAULT_STORE,
    memory: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="What networks in training may take together, such as 4GiB.")
    ] = None,
    report: Annotated[str | None, typer.Option(metavar="FILE", help="Write the page, one HTML file.")] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write the record; - for standard output.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No bar and no verdicts on the terminal.")] = False,
) -> Callable[[], None]:  # fmt: skip
    """Run a study: its figure, and a verdict on each claim."""

    def job() -> None:
        from heldout.engine.population.budget import bytes_of
        from heldout.faces.cli.options import seed_of
        from heldout.faces.cli.outputs import check_outputs, write_outputs
        from heldout.faces.cli.progress import progress_bar
        from heldout.faces.report import write_study_report
        from heldout.verbs.study import study

        check_outputs(report or "", json or "", store)
        own = _own(data, test, network)
        with progress_bar(quiet, name, doing="running") as tell:

            def told(words: str, number: int, count: int) -> None:
                tell(words, number / count)

            changes = changes_of(settings or [])
            if memory is not None:
                bytes_of(memory, "--memory")  # refused before anything is trained
            result = study(
                name, size=size, seed=seed_of(seed), store=store, memory=memory, progress=told, **own, **changes
            )
        record, silent = result.to_dict(), quiet or json == "-"
        kept = [f"run: {result.save(store)}"]
        try:
            if not silent:
                from heldout.faces.study_terminal import show_study

                show_study(record)
        finally:
            write_outputs(record, report or "", json or "", kept, quiet=silent, writer=write_study_report)

    return job


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A study that was run, or the name of a run.")],
    store: Annotated[str, typer.Option(metavar="DIR", help="Directory or URL of the store.")] = DEFAULT_STORE,
    report: Annotated[str | None, typer.Option(metavar="FILE", help="Write the page, one HTML file.")] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write the record; - for standard output.")] = None,
) -> Callable[[], None]:  # fmt: skip
    """Show a study that was run: verdicts, and with --report its page."""

    def job() -> None:
        from heldout.engine.store import Store, find_study_run
        from heldout.faces.cli.outputs import check_outputs, write_outputs
        from heldout.faces.report import write_study_report
        from heldout.faces.study_terminal import show_study

        check_outputs(report or "", json or "", "")
        record = find_study_run(Store(store), name)
        if json != "-":
            show_study(record)
        write_outputs(record, report or "", json or "", [], quiet=json == "-", writer=write_study_report)

    return job


def changes_of(settings: list[str]) -> dict[str, Any]:
    """Fields of a grid that are set otherwise.

    Args:
        settings: Such as ``["widths=[2, 4]", "noise=0.1"]``.

    Returns:
        Field -> value; what is no JSON is a word.

    Raises:
        Refusal: If one has no equals sign, or names an option.

    Example:
        >>> changes_of(["width=[2, 4]", "loss=cross-entropy"])
        {'width': [2, 4], 'loss': 'cross-entropy'}
    """
    from heldout.records import Refusal

    changes: dict[str, Any] = {}
    for words in settings:
        field, equals, value = words.partition("=")
        if not equals or not field.isidentifier():
            raise Refusal(given=f"--set was '{words}'", expected="FIELD=VALUE", do="pass it as --set width=[2,4]")
        if field in OPTIONS:
            raise Refusal(
                given=f"--set was '{words}', and {field} is no field of the grid",
                expected="FIELD=VALUE",
                do=f"pass it as {OPTIONS[field]}",
            )
        try:
            changes[field] = jsonlib.loads(value)
        except ValueError:
            changes[field] = value
    return changes


def _own(data: str | None, test: str | None, network: str | None) -> dict[str, Any]:
    from heldout.records import Refusal

    own: dict[str, Any] = {}
    if (data is None) != (test is None):
        raise Refusal(
            given=f"--data was {data!r} and --test {test!r}",
            expected="both or neither",
            do="pass the one that is missing",
        )
    if data is not None and test is not None:
        from heldout.engine.subject.loading import load_examples

        train = load_examples(data, "--data")
        unseen = load_examples(test, "--test", like=train)
        own["data"] = ((train.examples.x, train.examples.y), (unseen.examples.x, unseen.examples.y))
    if network is not None:
        from heldout.engine.subject.factories import imported

        own["network"] = imported(network, "--network")
    return own
