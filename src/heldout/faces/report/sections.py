"""What the page shows, put in order: families of readings, certificates by bound, what had no number."""

from collections.abc import Mapping, Sequence
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import interval, number, span
from heldout.records import Status

Row = Mapping[str, Any]


def families(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Readings with a number for at least one member, family by family.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Families with title and readings; a reading has name, meaning, source, shown value, uncertainty, direction, cost, and
        its members' rows.
    """
    catalog = units()
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in by_name(record["readings"]).values():
        if all(row["value"] is None for row in rows):
            continue
        first, unit = rows[0], catalog.get(rows[0]["name"])
        found.setdefault(first["family"], []).append({
            "name": first["name"],
            "meaning": unit.summary.replace("``", "") if unit else "",
            "source": unit.source if unit else "",
            "value": span([row["value"] for row in rows]),
            "groups": _group_means(rows, record["subject"]["groups"]),
            "uncertainty": interval(first) if len(rows) == 1 else "",
            "unit": first["unit"],
            "direction": first["direction"],
            "cost": _cost(first),
            "placed": _placed(record.get("atlas") or {}, first["name"]),
            "members": [
                {
                    "member": row["member"],
                    "value": number(row["value"]),
                    "uncertainty": interval(row),
                    "reason": row["reason"],
                }
                for row in rows
            ],
        })
    return [{"title": family.replace("_", " "), "readings": readings} for family, readings in found.items()]


def _placed(atlas: Mapping[str, Any], name: str) -> str:
    """Where a reading lies among the atlas's networks, or why that would mean nothing; empty where the atlas has none such."""
    shares = [row["percentile"] for row in atlas.get("rows", ()) if row["name"] == name]
    if shares:
        low, high = (f"{share:.0f}" for share in (min(shares), max(shares)))
        return f"above {low if low == high else f'{low} to {high}'} % of the atlas's {atlas['networks']:,} networks"
    reason = atlas.get("left_out", {}).get(name, "")
    return f"not comparable: {reason}" if reason else ""


def absent(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Readings without a number, and why, those of one reason together.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Reasons with status, what to do, and the names of the readings.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for rows in by_name(record["readings"]).values():
        for row in rows:
            if row["status"] != "ok":
                names = found.setdefault((row["status"], row["reason"]), [])
                words = (
                    row["name"]
                    if len(rows) == 1 or all(other["status"] != "ok" for other in rows)
                    else (f"{row['name']} (network {row['member']})")
                )
                if words not in names:
                    names.append(words)
    return [
        {
            "status": code,
            "happened": Status.of(code).happened,
            "do": Status.of(code).do,
            "reason": reason,
            "names": names,
        }
        for (code, reason), names in found.items()
    ]


def bounds(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Certificates, bound by bound.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Bounds with what their certificates share and a row a member.
    """
    return [
        {
            **rows[0],
            "shown": span([row["value"] for row in rows]),
            "statuses": list(dict.fromkeys(row["status"] for row in rows)),
            "members": [
                {
                    "member": row["member"],
                    "value": number(row["value"]),
                    "observed": number(row["empirical_risk"]),
                    "status": row["status"],
                    "verdict": row["baseline"]["verdict"],
                }
                for row in rows
            ],
        }
        for rows in by_name(record["certificates"]).values()
    ]


def by_name(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of one name together, in their order.

    Args:
        rows: With a name.

    Returns:
        Name -> rows.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def _group_means(rows: Sequence[Row], groups: Sequence[str]) -> list[dict[str, str]]:
    means = []
    for group in dict.fromkeys(groups):
        values = [row["value"] for row in rows if groups[row["member"]] == group and row["value"] is not None]
        means.append({"group": group, "mean": number(sum(values) / len(values) if values else None)})
    return means


def _cost(row: Row) -> str:
    passes = row["passes"]
    parts = [f"{passes[kind]:.3g} {kind}" for kind in ("forward", "backward") if passes[kind]]
    return ", ".join([*(parts or ["no pass"]), f"{row['seconds']:.2g} s"])
