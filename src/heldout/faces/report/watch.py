"""The page of a watched training run: its phases, its advice, its curves, its latest readings, what watching it cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import interval
from heldout.faces.report.drawing import HEIGHT, shared_data
from heldout.faces.report.rendering import PageMaker, page_of, write_page

#: Readings that belong on one pair of axes; every other has a chart of its own.
TOGETHER = {
    "errors": ("train-error", "validation-error", "gap"),
    "losses": ("loss", "train-loss", "validation-loss"),
    "margins": ("margin-p10", "margin-median"),
}
KEPT = ("step", "member", "name", "value", "low", "high")
SHORT = 180  # pixels of a chart among many


def render_watch(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``Watch.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    drawn = charts(record)
    latest = {row["name"]: {**row, "interval": interval(row)} for row in record["readings"]}
    return page(
        "watch.html.j2",
        record=record,
        latest=list(latest.values()),
        names=list(drawn),
        caption=units("figure")["training-curves"].fields["caption"],
        advice=_words(record["advice"]),
        specifications=drawn,
    )


def write_watch_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``Watch.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_watch(record), path)


def charts(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The curves' Vega-Lite, those that are compared on common axes.

    Args:
        record: What ``Watch.to_dict`` gave.

    Returns:
        Name -> specification.
    """
    rows = [{key: row[key] for key in KEPT} for row in record["readings"] if row["value"] is not None]
    last = max((row["step"] for row in record["readings"]), default=0)
    phases = [
        {"name": phase["name"], "begin": phase["begin"], "end": last if phase["end"] is None else phase["end"]}
        for phase in record["phases"]
    ]
    found = {}
    shared = [name for names in TOGETHER.values() for name in names]
    alone = {name: (name,) for name in dict.fromkeys(row["name"] for row in rows) if name not in shared}
    for title, names in {**TOGETHER, **alone}.items():
        own = [row for row in rows if row["name"] in names]
        if own:
            found[title] = _specification(own, phases, title)
    return found


def _specification(
    rows: Sequence[Mapping[str, Any]], phases: Sequence[Mapping[str, Any]], title: str
) -> dict[str, Any]:
    drawn: dict[str, Any] = (
        units("figure")["training-curves"].function(rows, phases=phases, y=title, log_x=True).to_dict()
    )
    drawn.pop("config", None)
    return shared_data({**drawn, "width": "container", "height": HEIGHT if title in TOGETHER else SHORT})


def _words(advice: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    """What is said, without tables of numbers, which the record has."""
    plain = (str, int, float)
    return [
        (key.replace("_", " "), value)
        for key, value in (advice or {}).items()
        if isinstance(value, plain) and value != ""
    ]
