"""A judgement on a terminal: what may be said first, then the table, hyper-parameters and claims where they were asked for."""

from collections.abc import Mapping
from typing import Any

from heldout.faces.report.judgement import axis_table, cell, columns_of, ordered, sentences


def show_judgement(record: Mapping[str, Any], *, by_axis: bool = False) -> None:
    """Print a judgement.

    Args:
        record: What ``Judgement.to_dict`` gave.
        by_axis: Whether each measure is shown on each hyper-parameter.
    """
    import typer

    from heldout.faces.cli.tables import print_table
    from heldout.faces.study_terminal import show_claims

    axes = ", ".join(record["axes"])
    typer.echo(f"{record['ledger']}: {record['networks']} networks that differ in {axes}.")
    for sentence in sentences(record):
        typer.echo(sentence)
    rows = rows_of(record)
    typer.echo()
    print_table(tuple(rows[0]), [list(row.values()) for row in rows])
    typer.echo(
        "* outside of what chance gives, 95 %. finds: the least tau found four times in five. Control rows stand last."
    )
    if by_axis:
        show_axes(record)
    for verdict in record["verdicts"]:
        if verdict["warning"]:
            typer.echo(f"{verdict['measure']}: {verdict['warning']}")
    for name, reason in record["absent"].items():
        typer.echo(f"{name} could not be judged: {reason}")
    for note in record["notes"]:
        typer.echo(f"note: {note}")
    if record["claims"]:
        show_claims(record["claims"])


def show_axes(record: Mapping[str, Any]) -> None:
    """Print each measure's granulated tau and mean sign error on each hyper-parameter.

    Args:
        record: What ``Judgement.to_dict`` gave.
    """
    import typer

    from heldout.faces.cli.tables import print_table

    for criterion, title in (("granulated-kendall", "granulated Kendall"), ("sign-error, mean", "mean sign error")):
        axes, rows = axis_table(record, criterion)
        if rows:
            words = [[row["measure"], *(cell(row["cells"].get(axis)) for axis in axes)] for row in rows]
            best = {
                axis: next((row["cells"][axis]["ceiling"] for row in rows if axis in row["cells"]), None)
                for axis in axes
            }
            words.append(["the exact target", *("-" if best[axis] is None else f"{best[axis]:.2f}" for axis in axes)])
            typer.echo(f"\n{title}, hyper-parameter by hyper-parameter")
            print_table(("measure", *axes), words)


def rows_of(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row a measure: its verdict, tau with interval and chance, its scores over all hyper-parameters, and power.

    Args:
        record: What ``Judgement.to_dict`` gave.

    Returns:
        Words by column.
    """
    rows = []
    for verdict in ordered(record):
        row = {"measure": verdict["measure"], "verdict": verdict["words"]}
        for name in columns_of(record):
            score = verdict["scores"].get(name)
            row[name] = cell(score)
            if name == "kendall" and score is not None and score["low"] is not None:
                row["interval"] = f"{score['low']:.2f} to {score['high']:.2f}"
                row["by chance"] = f"{score['chance_low']:.2f} to {score['chance_high']:.2f}"
        rows.append({**row, "finds": "none" if verdict["smallest"] is None else f"{verdict['smallest']:.2f}"})
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name, "—") for name in names} for row in rows]
