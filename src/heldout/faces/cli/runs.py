"""``heldout runs`` and ``heldout show``: what is stored, and one of it again."""

import json as jsonlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from heldout.engine.store import Store

DEFAULT_STORE = "runs"


def runs_command(
    store: Annotated[str, typer.Argument(help="Directory or URL of the store.")] = DEFAULT_STORE,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> Callable[[], None]:
    """List what is stored, oldest first."""

    def job() -> None:
        rows = _existing(store).runs()
        if json:
            typer.echo(jsonlib.dumps(rows, ensure_ascii=False, indent=1))
            return
        from heldout.faces.cli.tables import print_table

        columns = ("run", "subject", "members", "headline")
        print_table(columns, [tuple(str(row[column] or "") for column in columns) for row in rows])

    return job


def show_command(
    run: Annotated[str, typer.Argument(help="The run's name, or a beginning or end of it that no other has.")],
    store: Annotated[str, typer.Option(metavar="DIR", help="Directory or URL of the store.")] = DEFAULT_STORE,
    report: Annotated[str | None, typer.Option(metavar="FILE", help="Write its report, one HTML file.")] = None,
    json: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write its record; - for standard output.")] = None,
) -> Callable[[], None]:  # fmt: skip
    """Show a stored audit again."""

    def job() -> None:
        from heldout.faces.cli.outputs import check_outputs, write_outputs

        check_outputs(report or "", json or "", "")
        record = _existing(store).read_audit(run)
        if json != "-":
            from heldout.faces.terminal import show

            show(record)
        write_outputs(record, report or "", json or "", [], quiet=json == "-")

    return job


def _existing(url: str) -> "Store":
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
