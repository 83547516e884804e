"""A point a rung with its bar."""

from heldout.figures.running_coefficients import running_coefficients

ROWS = [{"label": "a", "nbeta": t, "running": 1.0, "low": 0.9, "high": 1.1} for t in (1.0, 10.0)]


def test_the_rows_are_drawn_as_they_are() -> None:
    chart = running_coefficients(ROWS).to_dict()
    assert chart.get("data", chart["layer"][0].get("data"))["values"] == ROWS
    assert [layer["encoding"]["y"]["field"] for layer in chart["layer"]] == ["running", "low"]
    assert chart["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
