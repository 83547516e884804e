"""Figures of a record as Vega-Lite specifications."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from heldout.catalog import Unit, units

Row = Mapping[str, Any]
HEIGHT = 300
COLOURS_OF_MEMBERS = 8  # more than these nobody tells apart
DRAWN = 48  # members that figures draw, evenly from each group; the record has all


def tables(record: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Every table of a record by the name that figures ask for; rows of a member also say its group.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Name with underscores -> rows.
    """
    found: dict[str, Sequence[Row]] = {key: record[key] for key in ("readings", "certificates", "contrasts")}
    found |= {profile["name"].replace("-", "_"): profile["rows"] for profile in record["profiles"]}
    drawn = members_drawn(record["subject"])
    return {
        name: [_grouped(row, record["subject"]) for row in rows if row.get("member", 0) in drawn]
        for name, rows in found.items()
    }


def members_drawn(subject: Mapping[str, Any]) -> set[int]:
    """The members that figures draw: all of them, or as many evenly from each group.

    Args:
        subject: Of the record.

    Returns:
        Their places.

    Example:
        >>> sorted(members_drawn({"members": 3, "groups": []}))
        [0, 1, 2]
    """
    groups = subject["groups"] or [""] * subject["members"]
    names = list(dict.fromkeys(groups))
    each = max(1, DRAWN // len(names))
    members = {name: [m for m, group in enumerate(groups) if group == name] for name in names}
    return {
        own[place * len(own) // min(each, len(own))] for own in members.values() for place in range(min(each, len(own)))
    }


def _grouped(row: Row, subject: Mapping[str, Any]) -> dict[str, Any]:
    if "member" not in row:
        return dict(row)
    member, members = row["member"], subject["members"]
    if subject["groups"]:
        group = subject["groups"][member]
    elif members == 1:
        group = "this network"
    else:
        group = f"network {member}" if members <= COLOURS_OF_MEMBERS else "all networks"
    return {**row, "group": group}


def figures(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every figure that has something to show.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Name -> title, caption and specification.
    """
    have = tables(record)
    drawn: dict[str, dict[str, Any]] = {}
    for unit in units("figure").values():
        rows = {need: have.get(need, []) for need in unit.needs}
        specification = _specification(unit, rows)
        if specification is not None:
            drawn[unit.name] = {
                "title": unit.fields["title"],
                "caption": unit.fields["caption"],
                "specification": specification,
            }
    return drawn


def _specification(unit: Unit, rows: Mapping[str, Sequence[Row]]) -> dict[str, Any] | None:
    """The figure's specification; None where it has no rows to show, before or after its own selection."""
    if not all(rows.values()):
        return None
    specification: dict[str, Any] = unit.function(**rows).to_dict()
    specification.pop("config", None)  # the page's, whose colours follow light and dark
    shared = shared_data({"height": HEIGHT, **specification, "width": "container"})
    return shared if any(shared["datasets"].values()) else None


def shared_data(specification: dict[str, Any]) -> dict[str, Any]:
    """The same figure with every table written once, its numbers to five digits.

    Layers that were made from one chart each carry its rows; a page of many networks would hold them two or three times.

    Args:
        specification: Vega-Lite, with or without named data sets.

    Returns:
        The specification with ``datasets`` at its top and names wherever data are used.
    """
    known: dict[str, str] = {}
    found: dict[str, Any] = {}
    named = specification.get("datasets", {})

    def name_of(rows: list[Any]) -> str:
        rounded = [_rounded(row) for row in rows]
        text = json.dumps(rounded, sort_keys=True, default=str)
        if text not in known:
            known[text] = f"table{len(known)}"
            found[known[text]] = rounded
        return known[text]

    def walked(part: Any) -> Any:
        if isinstance(part, list):
            return [walked(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        part = {key: walked(value) for key, value in part.items() if key != "datasets"}
        data = part.get("data")
        if isinstance(data, dict) and ("values" in data or data.get("name") in named):
            part["data"] = {"name": name_of(data.get("values") or named.get(data.get("name"), []))}
        return part

    return {**walked(specification), "datasets": found}


def _rounded(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in row.items()}


def safe_json(value: Any) -> str:
    r"""JSON that cannot end the script element it stands in.

    Args:
        value: Plain values.

    Returns:
        Its text.

    Example:
        >>> safe_json({"name": "</script><b>"})
        '{"name":"\\u003c/script>\\u003cb>"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that may stand in a page.

    Returns:
        JavaScript that defines ``vegaEmbed``.
    """
    import vl_convert

    return (
        vl_convert
        .javascript_bundle("window.vegaEmbed = vegaEmbed;")
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--")
    )
