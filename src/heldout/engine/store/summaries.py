"""What a list says of a record, whatever its kind: one row, and never a fault of a record that is odd."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]


def summary(kind: str, run: str, record: Record) -> dict[str, Any]:
    """One row of a list of runs.

    Args:
        kind: Of the run.
        run: Its name, whose beginning is the time of writing.
        record: What was kept; what it lacks is left empty.

    Returns:
        ``run, kind, written, subject, members, headline, heldout, finished, note``.

    Example:
        >>> row = summary("audit", "20260131T235959Z-0123456789ab", {"subject": {"name": "mlp", "members": 2}})
        >>> row["subject"], row["members"], row["headline"]
        ('mlp', 2, '')
    """
    subject = record.get("subject")
    named = subject if isinstance(subject, Mapping) else {}
    members = named.get("members", record.get("networks", record.get("members")))
    return {
        "run": run,
        "kind": kind,
        "written": _written(run),
        "subject": str(_first(named.get("name"), *(record.get(key) for key in ("ledger", "study", "name", "network")))),
        "members": members if isinstance(members, int) else None,
        "headline": _said(kind, record),
        "heldout": str(record.get("heldout", "")),
        "finished": kind != "training" or record.get("outcome") is not None,
        "note": "",
    }


def _written(run: str) -> str:
    try:
        return datetime.strptime(run.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).isoformat()
    except ValueError:  # eight and six digits that are no time
        return ""


def _said(kind: str, record: Record) -> str:
    try:
        return HEADLINES[kind](record)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return ""


def _audit(record: Record) -> str:
    return str(record["verdict"].get("headline", ""))


def _certification(record: Record) -> str:
    bests = record["bests"]
    if not bests:
        return "No certificate is valid here."
    best = min(bests, key=lambda row: row["value"])
    which = f" (network {best['member']})" if len(bests) > 1 else ""
    return f"{best['loss']} of {best['certifies']}{which}: at most {best['value']:.4g}, by {best['name']}."


def _judgement(record: Record) -> str:
    own = [row for row in record["verdicts"] if row["kind"] != "control"]
    counts = Counter(row["words"] for row in own).most_common()
    said = ", ".join(f"{words} {count}" for words, count in counts)
    return f"Of {len(own)} measures: {said}." if own else ""


def _posterior(record: Record) -> str:
    values = [row["value"] for row in record["readings"] if row["name"] == "learning-coefficient"]
    known = [value for value in values if value is not None]
    converged = sum(bool(row["converged"]) for row in record["diagnostics"])
    if not known:
        return f"No learning coefficient; {converged} of {len(record['diagnostics'])} samplings converged."
    among = f"{min(known):.4g}" if len(known) == 1 else f"{min(known):.4g} to {max(known):.4g}"
    return f"Learning coefficient {among}; {converged} of {len(record['diagnostics'])} samplings converged."


def _prediction(record: Record) -> str:
    rows = [row for row in record["rows"] if row["target"] == "accuracy"]
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return "It abstains." if rows else ""
    if len(known) == 1:
        only = known[0]
        return f"Accuracy on unseen data {only['value']:.3f} ({only['low']:.3f} to {only['high']:.3f})."
    values = [row["value"] for row in known]
    return f"Accuracy on unseen data {min(values):.3f} to {max(values):.3f} over {len(known)} networks."


def _study(record: Record) -> str:
    counts = Counter(claim["verdict"] for claim in record["claims"])
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + "."


def _training(record: Record) -> str:
    outcome = record.get("outcome")
    if outcome is None:
        return ""
    said = outcome.get("headline") or outcome.get("reason") or ""
    reasons = dict.fromkeys(said if isinstance(said, list) else [said])
    return ", ".join(str(reason) for reason in reasons if reason)


def _first(*found: Any) -> Any:
    """The first that says something; of a network's long description its first line."""
    said = next((value for value in found if value), "")
    return str(said).partition("\n")[0].rstrip("(")


HEADLINES = {
    "audit": _audit,
    "certification": _certification,
    "judgement": _judgement,
    "posterior": _posterior,
    "prediction": _prediction,
    "study": _study,
    "training": _training,
}
