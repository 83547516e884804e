"""The page of ``heldout certify``: the best certificate with its price, then every family with its ledgers."""

from collections.abc import Mapping
from typing import Any

from heldout.catalog import units
from heldout.faces.report.drawing import HEIGHT, shared_data
from heldout.faces.report.rendering import LISTED, PageMaker, page_of, template_of, write_page
from heldout.faces.report.sections import bounds
from heldout.records import Status

FIGURE = "certificate-families"
KEPT = {Status.VALID.code, Status.VACUOUS.code}


def render_certificates(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``Certificates.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    unit = units("figure")[FIGURE]
    return page(
        "certificates.html.j2", record=record, families=by_family(record), specifications=specifications(record), figure=unit,
        listed=LISTED,
    )  # fmt: skip


def specifications(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The figure, where it has something to show.

    Args:
        record: What ``Certificates.to_dict`` gave.

    Returns:
        Name -> Vega-Lite, without colours of its own.
    """
    rows = figure_rows(record)
    if not any(row["value"] for row in rows):
        return {}
    drawn = units("figure")[FIGURE].function(rows).to_dict()
    drawn.pop("config", None)
    height = max(HEIGHT, 22 * len({row["name"] for row in rows}))
    return {FIGURE: shared_data({**drawn, "width": "container", "height": height})}


def figure_rows(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the figure.

    Args:
        record: What ``Certificates.to_dict`` gave.

    Returns:
        Certificates with whether a theorem stands behind them and the loss from which on they are empty.
    """
    return [
        {**row, "kept": row["status"] in KEPT, "highest": row.get("trivial") or row["loss_range"][1]}
        for row in record["certificates"]
    ]


def by_family(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Certificates family by family.

    Args:
        record: What ``Certificates.to_dict`` gave.

    Returns:
        Families with name and bounds, as the audit's page shows them.
    """
    names = dict.fromkeys(row["family"] for row in record["certificates"])
    return [
        {
            "name": name,
            "bounds": bounds({"certificates": [row for row in record["certificates"] if row["family"] == name]}),
        }
        for name in names
    ]


def write_certificates_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``Certificates.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_certificates(record), path)


def certificates_fragment(record: Mapping[str, Any]) -> str:
    """The certificates for a notebook: no script, no figure.

    Args:
        record: What ``Certificates.to_dict`` gave.

    Returns:
        HTML that may stand in a page.
    """
    return template_of("certificates_fragment.html.j2").render(record=record, families=by_family(record))
