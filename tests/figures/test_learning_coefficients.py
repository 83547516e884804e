"""Points with bars, and nothing where a chain did not converge."""

from heldout.figures.learning_coefficients import learning_coefficients

ROWS = [
    {"label": "b", "estimator": "centre", "value": 2.0, "low": 1.5, "high": 2.5},
    {"label": "a", "estimator": "centre", "value": None, "low": None, "high": None},
]


def test_rows_are_drawn_as_they_are_and_absent_ones_filtered() -> None:
    chart = learning_coefficients(ROWS).to_dict()
    rows = chart.get("data", chart["layer"][0].get("data"))["values"]
    assert rows == ROWS
    assert all("isValid(datum.value)" in layer["transform"][0]["filter"] for layer in chart["layer"])
    assert all(layer["encoding"]["x"]["sort"] == ["b", "a"] for layer in chart["layer"])  # as they were given
    assert {layer["encoding"]["y"]["field"] for layer in chart["layer"]} == {"value", "low"}
