"""Certificates on a terminal: the best one with its price, then every family."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from heldout.faces.numbers import number, span


def show_certificates(record: Mapping[str, Any], console: Console | None = None) -> None:
    """Print the result of certifying.

    Args:
        record: What ``Certificates.to_dict`` gave.
        console: Where; standard output if not given.
    """
    out = console or Console()
    out.print(f"\n[bold]{escape(record['subject']['name'])}[/bold]", highlight=False)
    if not record["bests"]:
        out.print("[bold]No certificate is valid here.[/bold]", highlight=False)
    for best in record["bests"]:
        which = f" (network {best['member']})" if record["subject"]["members"] > 1 else ""
        out.print(
            f"[bold]{escape(best['loss'])} of {escape(best['certifies'])}{which}: at most {number(best['value'])}, with probability "
            f"at least {100 * (1 - best['delta']):.6g} %.[/bold]", highlight=False,
        )  # fmt: skip
        out.print(f"By {best['name']}; the price of having looked at all certificates is paid.", highlight=False)
        if best["status"] == "vacuous":
            out.print(f"That says nothing: {escape(best['reason'])}", highlight=False)
    out.print(families_table(record))
    for name, reason in record["absent"].items():
        out.print(f"[dim]{escape(name)}: {escape(reason)}[/dim]", highlight=False)
    out.print(f"delta {record['delta']:g} each, {record['seconds']:.1f} s, seed {record['seed']}.", highlight=False)


def families_table(record: Mapping[str, Any]) -> Table:
    """Every bound, family by family.

    Args:
        record: What ``Certificates.to_dict`` gave.

    Returns:
        The table.
    """
    table = Table(box=None, pad_edge=False)
    for title in ("bound", "at most", "status", "certifies", "against the baseline"):
        table.add_column(
            title, justify="right" if title == "at most" else "left", overflow="fold", no_wrap=title == "bound"
        )
    family = ""
    for name in dict.fromkeys(row["name"] for row in record["certificates"]):
        rows = [row for row in record["certificates"] if row["name"] == name]
        if rows[0]["family"] != family:
            family = rows[0]["family"]
            table.add_row(f"[bold]{escape(family)}[/bold]")
        verdict = rows[0]["baseline"]["verdict"].partition(" on the same")[0] if len(rows) == 1 else ""
        statuses = ", ".join(dict.fromkeys(row["status"] for row in rows))
        table.add_row(
            escape(name), span([row["value"] for row in rows]), statuses, escape(rows[0]["certifies"]), escape(verdict)
        )
    return table
