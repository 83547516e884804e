"""The page of logs: curves over phases, readings in short, advice."""

from collections.abc import Mapping
from typing import Any

from heldout.catalog import units
from heldout.faces.report.drawing import HEIGHT
from heldout.faces.report.rendering import PageMaker, page_of, write_page

#: Panels of a run: what they show, and the title of their axis.
PANELS = {
    "loss": ("loss", "train-loss", "validation-loss"),
    "error": ("train-error", "validation-error", "gap"),
}
DRAWN = 12  # runs whose curves a page draws; the record has all


def render_log(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``heldout watch --json`` writes.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    drawn = {
        f"run-{place}-{panel}": specification(run, panel)
        for place, run in enumerate(record["runs"][:DRAWN])
        for panel, names in PANELS.items()
        if any(row["name"] in names for row in run["curves"])
    }
    figure = units("figure")["training-curves"].fields
    return page("log.html.j2", record=record, specifications=drawn, panels=list(PANELS), caption=figure["caption"])


def write_log_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``heldout watch --json`` writes.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_log(record), path)


def specification(run: Mapping[str, Any], panel: str) -> dict[str, Any]:
    """A panel as Vega-Lite.

    Args:
        run: Of the record.
        panel: Of :data:`PANELS`.

    Returns:
        The specification, without colours of its own.
    """
    rows = [row for row in run["curves"] if row["name"] in PANELS[panel] and row["value"] is not None]
    last, first = max(run["last_step"], 1), min(row["step"] for row in rows) if rows else 0
    stretches = [{**phase, "end": last if phase["end"] is None else phase["end"]} for phase in run["phases"]]
    drawn: dict[str, Any] = (
        units("figure")["training-curves"]
        .function(rows, phases=stretches, y=panel, log_x=last > 1000 * max(first, 1))
        .to_dict()
    )
    drawn.pop("config", None)
    return {**drawn, "height": HEIGHT, "width": "container"}
