"""Charts are data: every row that a figure is given is drawn, nothing is computed, and nothing is drawn from nothing."""

from typing import Any

import pytest
from tests.figures.records import ALL, grouped, single

from heldout.catalog import units
from heldout.faces.report.drawing import tables

#: Figures of an audit's tables; those of a study, of certify, of the judge, of a posterior and of a thorough audit are drawn from
#: rows of their own.
OWN = {
    "study_curves", "family_certificates", "curvature_density", "judged_rows", "judged_axis_rows", "posterior_traces",
    "posterior_coefficients", "training_readings",
}  # fmt: skip
FIGURES = {name: unit for name, unit in units("figure").items() if not OWN & set(unit.needs)}


def drawn(name: str, record: dict[str, Any]) -> dict[str, Any]:
    unit = FIGURES[name]
    have = tables(record)
    return unit.function(**{need: have[need] for need in unit.needs}).to_dict()


def rows_of(chart: dict[str, Any]) -> list[dict[str, Any]]:
    """All inline rows of a chart, wherever Altair put them."""
    parts = [chart, *chart.get("layer", [])]
    found = [part["data"] for part in parts if part.get("data")]
    named = chart.get("datasets", {})
    return [row for data in found for row in named.get(data.get("name"), data.get("values", []))]


def fields_of(chart: dict[str, Any]) -> set[str]:
    parts = [chart, *chart.get("layer", [])]
    channels = [channel for part in parts for channel in part.get("encoding", {}).values()]
    return {channel["field"] for channel in channels if isinstance(channel, dict) and "field" in channel}


@pytest.mark.parametrize("name", list(FIGURES))
def test_every_field_that_is_drawn_is_in_the_rows(name: str) -> None:
    chart = drawn(name, grouped())
    have = {key for row in rows_of(chart) for key in row}
    assert rows_of(chart)
    assert fields_of(chart) <= have


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_figure_says_what_is_seen(name: str) -> None:
    fields = FIGURES[name].fields
    assert fields["title"]
    assert not fields["title"].endswith(".")
    assert len(fields["caption"]) > 60
    assert fields["caption"].endswith(".")


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [("margins", "margin_distribution", "margin"), ("spectra", "spectrum", "singular_value"),
     ("noise-curves", "noise_curve", "error"), ("pruning", "pruning_curve", "error"),
     ("gradient-coherence", "gradient_distribution", "norm")],
)  # fmt: skip
def test_profiles_are_drawn_row_by_row_as_they_are(name: str, table: str, column: str) -> None:
    given = tables(grouped())[table]
    shown = [row for row in rows_of(drawn(name, grouped())) if column in row]
    assert len(shown) % len(given) == 0  # two layers may carry the rows each
    shown = shown[: len(given)]
    assert [row[column] for row in shown] == [row[column] for row in given]


def test_the_gap_shows_both_accuracies_and_the_interval_of_one() -> None:
    rows = rows_of(drawn("gap", single()))
    values = {row["name"]: row for row in single()["readings"]}
    by_data = {row["data"]: row for row in rows}
    assert by_data["training data"]["value"] == values["train-accuracy"]["value"]
    assert by_data["unseen data"]["low"] == values["test-accuracy"]["low"]
    assert by_data["training data"]["low"] is None


def test_without_unseen_data_there_is_no_gap_to_draw() -> None:
    assert [row for row in rows_of(drawn("gap", ALL["blind"]())) if "value" in row] == []


def test_contrasts_name_the_group_that_is_higher() -> None:
    chart_rows = {row["name"]: row for row in rows_of(drawn("group-contrasts", grouped()))}
    for row in grouped()["contrasts"]:
        if row["name"] in chart_rows:
            shown = chart_rows[row["name"]]
            assert shown["higher"] == (row["second"] if row["mean_second"] > row["mean_first"] else row["first"])
            assert (shown["separation"] == "complete") is (row["area"] in (0.0, 1.0))


def test_refused_certificates_have_no_mark() -> None:
    assert [row for row in rows_of(drawn("certificate-values", ALL["refused"]())) if row.get("value")] == []


def test_rows_of_members_say_their_group() -> None:
    assert {row["group"] for row in tables(grouped())["readings"]} == {"a", "b & c"}
    assert {row["group"] for row in tables(single())["readings"]} == {"this network"}
