"""``heldout judge``: which measures predict, by every criterion."""

from collections.abc import Callable
from typing import Annotated, Any

from typer import Option

from heldout.faces.cli import audit_options as o

LedgerFile = Annotated[
    str,
    Option("--ledger", metavar="TABLE", help="Parquet or CSV: a row a network, hp.<name>, seed, measure.<name>, gap."),
]
Target = Annotated[str, Option("--target", metavar="NAME", help="gap (default), accuracy, loss or shift-accuracy.")]
Criteria = Annotated[
    list[str] | None, Option("--criterion", metavar="NAME", help="Such as kendall; may be repeated; all if not said.")
]


def judge_command(
    ledger: LedgerFile = "",
    target: Target = "gap",
    criteria: Criteria = None,
    seed: o.Seed = "0",
    json: o.Json = None,
    quiet: o.Quiet = False,
) -> Callable[[], None]:
    """Judge measures of generalization on a table of networks: scores, nulls, intervals, the ceiling, and a verdict on each."""

    def job() -> None:
        import typer

        from heldout.catalog import units
        from heldout.engine.judging.ledger import read_ledger
        from heldout.faces.cli.options import seed_of
        from heldout.faces.cli.outputs import check_outputs, write_json
        from heldout.faces.cli.tables import print_table
        from heldout.verbs.judge import judge

        check_outputs("", json or "", "")
        directions = {name: unit.direction for name, unit in units("measure").items()}
        found = judge(
            read_ledger(ledger, target=target, directions=directions),
            criteria=tuple(criteria or ()),
            seed=seed_of(seed),
        )
        record = found.to_dict()
        if json:
            write_json(record, json)
        if quiet or json == "-":
            return
        rows = rows_of(record)
        print_table(tuple(rows[0]), [list(row.values()) for row in rows])
        typer.echo(
            f"{record['networks']} networks, {len(record['axes'])} hyper-parameters ({', '.join(record['axes'])}); the exact "
            f"{record['target']} itself would reach a tau of {record['ceiling']:.2f}. Scores with what chance gives, 95 %."
        )
        for verdict in record["verdicts"]:
            if verdict["warning"]:
                typer.echo(f"{verdict['measure']}: {verdict['warning']}")

    return job


def rows_of(record: dict[str, Any]) -> list[dict[str, str]]:
    """One row a measure: its verdict and its scores over all hyper-parameters.

    Args:
        record: Of a judgement.

    Returns:
        Words by column.
    """
    rows = []
    for verdict in record["verdicts"]:
        row = {"measure": verdict["measure"], "verdict": verdict["words"]}
        for score in record["scores"]:
            if score["measure"] == verdict["measure"] and not score["axis"]:
                chance = score["chance_low"], score["chance_high"]
                beside = "" if None in chance else f" ({chance[0]:.2f} to {chance[1]:.2f})"
                row[score["criterion"]] = "-" if score["value"] is None else f"{score['value']:.3f}{beside}"
        rows.append(row)
    return rows
