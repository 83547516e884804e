"""The page of a sampled posterior: readings with their reasons, diagnostics, chains, coefficients along the networks."""

from collections.abc import Mapping, Sequence
from typing import Any

from heldout.catalog import units
from heldout.faces.numbers import interval, number
from heldout.faces.report.drawing import HEIGHT, shared_data
from heldout.faces.report.rendering import PageMaker, page_of, write_page

#: Readings that a figure draws beside each other, and what each is called there.
ESTIMATORS = {
    "learning-coefficient": "from the centre",
    "learning-coefficient-two-temperatures": "two temperatures",
    "learning-coefficient-heat-capacity": "heat capacity",
    "learning-coefficient-quadratic": "quadratic",
}
#: Readings that a line a network shows beside its coefficient, where there is one, and their headings.
GLANCE = {
    "learning-coefficient-quadratic": "quadratic",
    "singular-fluctuation": "singular fluctuation",
    "waic": "WAIC",
    "bayes-test-loss": "Bayes test loss",
}
PANELS = 4  # networks whose correlations are drawn
WORDS = (
    "sampler",
    "chains",
    "diverged",
    "draws",
    "r_hat_loss",
    "r_hat_distance",
    "bulk_loss",
    "virial",
    "localisation",
    "beta",
    "sweeps",
    "deficit",
)


def render_posterior(record: Mapping[str, Any], page: PageMaker = page_of) -> str:
    """The whole page.

    Args:
        record: What ``Posterior.to_dict`` gave.
        page: What makes a page of a template and of what it shows.

    Returns:
        HTML; the report's needs nothing beside itself.
    """
    found, headings = figures_of(record), _headings(record)
    return page(
        "posterior.html.j2",
        record=record,
        members=[_member(record, row, headings) for row in record["diagnostics"]],
        headings=headings,
        figures=[{"name": name, **dict(units("figure")[name].fields)} for name in found],
        specifications=found,
    )


def write_posterior_report(record: Mapping[str, Any], path: str) -> str:
    """Write the page, whole and then renamed.

    Args:
        record: What ``Posterior.to_dict`` gave.
        path: Where.

    Returns:
        The path.
    """
    return write_page(render_posterior(record), path)


def figures_of(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures' Vega-Lite; none from nothing.

    Args:
        record: What ``Posterior.to_dict`` gave.

    Returns:
        Figure's name -> specification.
    """
    labels = record["labels"]
    coefficients = [
        {"member": row["member"], "estimator": ESTIMATORS[row["name"]], "value": row["value"], "low": row["low"], "high": row["high"]}
        for row in record["readings"] if row["name"] in ESTIMATORS
    ]  # fmt: skip
    tables = {
        "learning-coefficients": _labelled(coefficients, labels) if len(labels) > 1 else [],
        "posterior-chains": _labelled(record["traces"], labels),
        "hypothesis-weights": _labelled(record["hypothesis_weight"], labels, "bits", "bits_error", 1.0),
        "running-coefficients": _labelled(record["ladder"], labels, "running", "running_error", 2.0),
        "preferred-solutions": _labelled(record["selection"]["rows"], labels),
        "loss-correlations": [row for row in _labelled(record["correlations"], labels) if row["member"] < PANELS],
    }
    return {name: _specification(name, rows) for name, rows in tables.items() if rows}


def _labelled(
    rows: Sequence[Mapping[str, Any]], labels: Sequence[str], column: str = "", error: str = "", errors: float = 0.0
) -> list[dict[str, Any]]:
    """Rows that name their network; with low and high, so many errors about a column, where it has a number."""
    unique = len(set(labels)) == len(labels)
    names = labels if unique else [f"{label} ({place})" for place, label in enumerate(labels)]
    named = [{**row, "label": names[row["member"]]} for row in rows if not column or row[column] is not None]
    if column:
        named = [
            {**row, "low": row[column] - errors * row[error], "high": row[column] + errors * row[error]}
            for row in named
        ]
    return named


def _specification(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    drawn: dict[str, Any] = units("figure")[name].function(rows).to_dict()
    drawn.pop("config", None)
    inner = drawn.get("spec", drawn)
    inner["height"] = HEIGHT if inner is drawn else 160
    inner["width"] = "container" if inner is drawn else 300
    return shared_data(drawn)


def _member(record: Mapping[str, Any], diagnostics: Mapping[str, Any], headings: Mapping[str, str]) -> dict[str, Any]:
    own = {row["name"]: row for row in record["readings"] if row["member"] == diagnostics["member"]}
    shown = [(key.replace("_", " "), _said(diagnostics.get(key))) for key in WORDS if key in diagnostics]
    return {
        "label": record["labels"][diagnostics["member"]],
        "size": diagnostics["parameters"],
        "converged": diagnostics["converged"],
        "reason": diagnostics["reason"],
        "coefficient": _with_interval(own["learning-coefficient"]),
        "glance": [number(own[name]["value"]) if name in own else "" for name in headings],
        "readings": [_with_interval(row) for row in own.values()],
        "diagnostics": shown,
        "influences": [row for row in record["influences"] if row["member"] == diagnostics["member"]],
        "absent": [row for row in record["absent"] if row["member"] == diagnostics["member"]],
    }


def _headings(record: Mapping[str, Any]) -> dict[str, str]:
    given = {row["name"] for row in record["readings"] if row["value"] is not None}
    return {name: heading for name, heading in GLANCE.items() if name in given}


def _with_interval(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "interval": interval(row)}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else number(value)
