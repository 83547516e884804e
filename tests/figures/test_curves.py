"""Curves of a study."""

from heldout.figures.curves import curves

ROWS = [
    {"x": 1, "y": 2.0, "curve": "a", "low": 1.0, "high": 3.0, "panel": "left"},
    {"x": 2, "y": 4.0, "curve": "b", "low": 3.0, "high": 5.0, "panel": "right"},
]


def test_bands_panels_and_scales() -> None:
    drawn = curves(ROWS, x="width", y="error", log_x=True).to_dict()
    layers = drawn["spec"]["layer"]
    assert [layer["mark"]["type"] for layer in layers] == ["area", "line"]
    assert layers[1]["encoding"]["x"]["scale"]["type"] == "log"
    assert layers[1]["encoding"]["y"]["scale"]["type"] == "linear"
    assert layers[1]["encoding"]["x"]["title"] == "width"
    assert drawn["facet"]["field"] == "panel"


def test_without_bands_and_panels_there_are_lines_only() -> None:
    plain = [{key: row[key] for key in ("x", "y", "curve")} for row in ROWS]
    drawn = curves(plain, x="step", y="loss", log_y=True).to_dict()
    assert [layer["mark"]["type"] for layer in drawn["layer"]] == ["line"]
    assert drawn["layer"][0]["encoding"]["y"]["scale"]["type"] == "log"
