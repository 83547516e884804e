"""Figures of a record as Vega-Lite specifications."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from heldout.catalog import Unit, units

Row = Mapping[str, Any]
HEIGHT = 300
COLOURS_OF_MEMBERS = 8  # more than these nobody tells apart


def tables(record: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Every table of a record by the name that figures ask for; rows of a member also say its group.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Name with underscores -> rows.
    """
    found: dict[str, Sequence[Row]] = {key: record[key] for key in ("readings", "certificates", "contrasts")}
    found |= {profile["name"].replace("-", "_"): profile["rows"] for profile in record["profiles"]}
    return {name: [_grouped(row, record["subject"]) for row in rows] for name, rows in found.items()}


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


def figures(record: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Every figure that has something to show.

    Args:
        record: What ``Audit.to_dict`` gave.

    Returns:
        Name -> title, caption, and specification as JSON that may stand in a script element.
    """
    have = tables(record)
    drawn = {}
    for unit in units("figure").values():
        rows = {need: have.get(need, []) for need in unit.needs}
        specification = _specification(unit, rows)
        if specification is not None:
            drawn[unit.name] = {
                "title": unit.fields["title"],
                "caption": unit.fields["caption"],
                "specification": safe_json(specification),
            }
    return drawn


def _specification(unit: Unit, rows: Mapping[str, Sequence[Row]]) -> dict[str, Any] | None:
    """The figure's specification; None where it has no rows to show, before or after its own selection."""
    if not all(rows.values()):
        return None
    specification: dict[str, Any] = unit.function(**rows).to_dict()
    specification.pop("config", None)  # the page's, which follows light and dark
    specification = {"height": HEIGHT, **specification, "width": "container"}
    data = [layer.get("data", specification.get("data")) for layer in specification.get("layer", [specification])]
    shown = [specification.get("data"), *data]
    named = specification.get("datasets", {})
    values = [named.get(part.get("name"), part.get("values", [])) for part in shown if part]
    return specification if any(len(part) > 0 for part in values) else None


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
