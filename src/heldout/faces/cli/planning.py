"""What ``heldout audit --plan`` prints."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.engine.subject import Subject


def plan_record(subject: "Subject", only: Sequence[str], *, thorough: bool = False) -> dict[str, Any]:
    """The plan as plain values.

    Args:
        subject: What would be audited.
        only: As in the audit.
        thorough: As in the audit.
    """
    from heldout.verbs.plan import plan

    found = plan(subject, only=only, thorough=thorough)
    return {
        "plan": [dict(row) for row in found.rows],
        "passes": {"forward": found.passes.forward, "backward": found.passes.backward},
        "gigaflops": found.gigaflops,
        "members": found.members,
    }


def show_plan(record: Mapping[str, Any]) -> None:
    """Print the plan.

    Args:
        record: What :func:`plan_record` gave.
    """
    from heldout.faces.cli.tables import print_table

    rows = [row for row in record["plan"] if row["applicable"]]
    print_table(
        ("name", "kind", "forward", "backward", "needs"),
        [(r["name"], r["kind"], f"{r['forward']:g}", f"{r['backward']:g}", ", ".join(r["needs"])) for r in rows],
        title="would be computed (passes over the training set, each alone)",
    )
    absent = [row for row in record["plan"] if not row["applicable"]]
    if absent:
        print_table(("name", "reason"), [(row["name"], row["reason"]) for row in absent], title="not applicable")
    passes, gigaflops = record["passes"], record["gigaflops"]
    amount = "" if gigaflops is None else f", about {gigaflops:.3g} GFLOP"
    networks = "1 network" if record["members"] == 1 else f"{record['members']} networks"
    print(
        f"Altogether, shared work counted once: {passes['forward']:g} forward and {passes['backward']:g} backward passes "
        f"over the training set for {networks}{amount}. Nothing was computed."
    )
