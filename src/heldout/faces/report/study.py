"""The page of a study: its question, its claims with their verdicts, its figure."""

from collections.abc import Mapping
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import shown
from heldout.faces.report.drawing import HEIGHT, shared_data
from heldout.faces.report.rendering import PageMaker, page_of, write_page


def render_study(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``StudyRecord.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    return page(
        "study.html.j2",
        record=record,
        specifications={record["figure"]["name"]: specification(record["figure"])},
        shown=shown,
    )


def write_study_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``StudyRecord.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_study(record), path)


def specification(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The figure's Vega-Lite.

    Args:
        figure: Of the record: name, axes, rows.

    Returns:
        The specification, without colours of its own.
    """
    chart = units("figure")[figure["name"]].function(figure["rows"], **figure["axes"])
    drawn: dict[str, Any] = chart.to_dict()
    drawn.pop("config", None)
    inner = drawn.get("spec", drawn)
    inner["height"] = HEIGHT if inner is drawn else 220
    inner["width"] = "container" if inner is drawn else 300
    return shared_data(drawn)
