"""A study on a terminal: its question, and each claim with its verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from heldout.faces.numbers import number, shown

COLOURS = {"reproduced": "green", "not reproduced": "red", "underpowered": "yellow"}


def show_study(record: Mapping[str, Any], console: Console | None = None) -> None:
    """Print a study.

    Args:
        record: What ``StudyRecord.to_dict`` gave.
        console: Where; standard output if not given.
    """
    out = console or Console()
    out.print(f"\n[bold]{escape(record['question'])}[/bold]", highlight=False)
    out.print(f"{escape(record['study'])}, {escape(record['size'])} size, {record['seconds']:.1f} s", highlight=False)
    show_claims(record["claims"], out)
    if record["notes"]:
        out.print(f"\n{escape(record['notes'])}", highlight=False)


def show_claims(claims: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print claims with their verdicts.

    Args:
        claims: Of a record.
        console: Where; standard output if not given.
    """
    out = console or Console()
    for claim in claims:
        verdict = claim["verdict"]
        out.print(f"\n[{COLOURS[verdict]}]{verdict}[/]: {escape(claim['claim'])}", highlight=False)
        out.print(f"  {escape(claim['source'])}", style="dim", highlight=False)
        bar = f"{'above' if claim['above'] else 'below'} {number(claim['bar'])}"
        seeds = f", {claim['seeds']} seeds" if claim["seeds"] > 1 else ""
        out.print(f"  {escape(claim['statistic'])}: {shown(claim)}{seeds}; the claim says {bar}", highlight=False)
        if "control" in claim:
            out.print(f"  control: {shown(claim, 'control')}", highlight=False)
        if verdict != "reproduced":
            out.print(f"  because {escape(claim['reason'])}", highlight=False)
