"""The record on a terminal: verdict, contrasts, certificates, readings."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heldout.faces.numbers import by_pair, interval, number, span

Record = Mapping[str, Any]
CONTRASTS = 12  # the clearest; the report has all


def show(record: Record, console: Console | None = None) -> None:
    """Print a record.

    Args:
        record: What ``Audit.to_dict`` gave.
        console: Where; standard output if not given.
    """
    out = console or Console()
    grouped = bool(record["contrasts"])
    subject = record["subject"]
    out.print(f"\n[bold]{escape(subject['name'])}[/bold]", highlight=False)
    if grouped:
        out.print(f"From the training data alone, {len(subject['groups'])} networks:", highlight=False)
        for pair in by_pair(record["contrasts"]):
            out.print(contrasts_table(pair))
        out.print("Then the test data:", highlight=False)
    out.print(f"[bold]{escape(record['verdict']['headline'])}[/bold]", highlight=False)
    for sentence in record["verdict"]["sentences"]:
        out.print(escape(sentence), highlight=False)
    if record["certificates"]:
        out.print(certificates_table(record["certificates"]))
    out.print(readings_table(record["readings"]))
    passes = record["passes"]
    out.print(
        f"{passes['forward']:.1f} forward and {passes['backward']:.1f} backward sweeps over the training set, "
        f"{record['seconds']:.1f} s, seed {record['seed']}.",
        highlight=False,
    )


def contrasts_table(pair: Mapping[str, Any]) -> Table:
    """Which readings tell two groups apart, the clearest first.

    Args:
        pair: Of :func:`heldout.faces.numbers.by_pair`.

    Returns:
        The table.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("reading")
    for title in (pair["first"], pair["second"]):
        table.add_column(escape(title), justify="right")
    table.add_column("ROC area", justify="right")
    for row in pair["rows"][:CONTRASTS]:
        table.add_row(escape(row["name"]), number(row["mean_first"]), number(row["mean_second"]), f"{row['area']:.2f}")
    return table


def certificates_table(certificates: Sequence[Mapping[str, Any]]) -> Table:
    """Every bound with its values over the members.

    Args:
        certificates: Of the record.

    Returns:
        The table.
    """
    table = Table(box=None, pad_edge=False)
    for title in ("certificate", "at most", "delta", "status", "against the baseline"):
        table.add_column(title, justify="right" if title in ("at most", "delta") else "left")
    for name in dict.fromkeys(row["name"] for row in certificates):
        rows = [row for row in certificates if row["name"] == name]
        verdict = rows[0]["baseline"]["verdict"] if len(rows) == 1 else ""
        statuses = ", ".join(dict.fromkeys(row["status"] for row in rows))
        table.add_row(
            escape(name), span([row["value"] for row in rows]), f"{rows[0]['delta']:g}", statuses, escape(verdict)
        )
    return table


def readings_table(readings: Sequence[Mapping[str, Any]]) -> Table:
    """Every reading: its value (of several members their range), its interval, its direction, or why there is none.

    Args:
        readings: Of the record.

    Returns:
        The table.
    """
    table = Table(box=None, pad_edge=False)
    for title in ("reading", "value", "interval or error", "higher is"):
        table.add_column(
            title,
            justify="right" if title == "value" else "left",
            no_wrap=title != "interval or error",
            overflow="fold",
        )
    for name in dict.fromkeys(row["name"] for row in readings):
        rows = [row for row in readings if row["name"] == name]
        reason = next((row["reason"] for row in rows if row["status"] != "ok"), "")
        values = span([row["value"] for row in rows])
        if all(row["value"] is None for row in rows):
            table.add_row(f"[dim]{escape(name)}[/dim]", "—", f"[dim]{rows[0]['status']}: {escape(reason)}[/dim]", "")
        else:
            uncertain = interval(rows[0]) if len(rows) == 1 else ""
            table.add_row(
                escape(name), values, uncertain or escape(reason), rows[0]["direction"].removeprefix("higher is ")
            )
    return table
