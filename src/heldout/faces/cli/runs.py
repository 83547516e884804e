"""``heldout runs`` and ``heldout show``: what is stored, and one of it again."""

import json as jsonlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from heldout.engine.store import Store

DEFAULT_STORE = "runs"


def runs_command(
    store: Annotated[str, typer.Argument(help="Directory or URL of the store.")] = DEFAULT_STORE,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> Callable[[], None]:
    """List what is stored, of every kind, oldest first."""

    def job() -> None:
        from heldout.engine.store import result_runs

        rows = result_runs(existing(store))
        if json:
            typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
            return
        from heldout.faces.cli.tables import print_table

        columns = ("run", "kind", "subject", "members", "headline")
        told = [{**row, "headline": row["headline"] or row["note"]} for row in rows]
        print_table(columns, [tuple(str(row[column] or "") for column in columns) for row in told])

    return job


def show_command(
    run: Annotated[str, typer.Argument(help="The run's name, or a beginning or end of it that no other has.")],
    store: Annotated[str, typer.Option(metavar="DIR", help="Directory or URL of the store.")] = DEFAULT_STORE,
    report: Annotated[str | None, typer.Option(metavar="FILE", help="Write its report, one HTML file.")] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write its record; - for standard output.")] = None,
) -> Callable[[], None]:  # fmt: skip
    """Show a stored result again, of whatever kind."""

    def job() -> None:
        from heldout.engine.store import find_result, read_result
        from heldout.faces.cli.outputs import check_outputs, write_outputs
        from heldout.faces.cli.showing import check_has_report, page_writer, show_result

        check_outputs(report or "", json or "", "")
        place = existing(store)
        kind, name = find_result(place, run)
        check_has_report(kind, report or "")
        record: Mapping[str, Any] = read_result(place, kind, name)
        if json != "-":
            show_result(kind, record)
        write_outputs(record, report or "", json or "", [], quiet=json == "-", writer=page_writer(kind))

    return job


def existing(url: str) -> "Store":
    """A store that somebody wrote to.

    Args:
        url: Directory or URL.

    Returns:
        The store.

    Raises:
        Refusal: If nothing is stored there.
    """
    from heldout.engine.store import Store
    from heldout.records import Refusal

    store = Store(url)
    if not store.exists:
        raise Refusal(
            given=f"store was '{url}', where nothing is stored",
            expected="a directory or URL that 'heldout audit --store' wrote to",
            do="pass the one you used",
        )
    return store
