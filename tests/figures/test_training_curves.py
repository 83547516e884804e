"""Curves of a training run over its phases."""

from typing import Any

import pytest
from vl_convert import vegalite_to_svg

from heldout.faces.report.colours import standalone
from heldout.figures.training_curves import PHASES, training_curves

ROWS = [
    {"step": step, "value": value, "name": name, "member": 0, "low": low, "high": low and 2 * low}
    for step in (0, 10, 1000) for name, value, low in (("train-loss", 2.0, None), ("validation-loss", 3.0, 1.0), ("other", 4.0, None))
]  # fmt: skip
GROUND = [{"begin": 0, "end": 10, "name": "fitting"}, {"begin": 10, "end": 1000, "name": "grokking"}]


def layers(**settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    drawn = training_curves(ROWS, **settings).to_dict()
    return drawn, {layer["mark"]["type"]: layer for layer in drawn["layer"]}


def test_tables_have_the_names_that_a_live_page_adds_to() -> None:
    drawn, marks = layers(phases=GROUND, y="loss", log_x=True)
    assert drawn["datasets"] == {"readings": ROWS, "phases": GROUND}
    assert marks["rect"]["data"] == {"name": "phases"}
    assert {marks[mark]["data"]["name"] for mark in ("area", "line", "circle")} == {"readings"}
    assert marks["line"]["encoding"]["x"]["scale"]["type"] == "symlog"
    assert marks["line"]["encoding"]["y"]["title"] == "loss"


def test_what_everybody_compares_keeps_its_colour_and_others_get_one_that_is_free() -> None:
    _, marks = layers()
    scale = marks["line"]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {
        "train-loss": "var(--series-0)", "validation-loss": "var(--series-1)", "other": "var(--series-2)"
    }  # fmt: skip
    assert marks["line"]["encoding"]["x"]["scale"]["type"] == "linear"
    assert len(set(PHASES.values())) == len(PHASES)


def test_one_curve_has_no_legend_and_without_intervals_there_is_no_band() -> None:
    drawn = training_curves([{"step": 1, "value": 2.0, "name": "loss", "member": 0}]).to_dict()
    marks = [layer["mark"]["type"] for layer in drawn["layer"]]
    assert marks == ["rect", "line", "circle"]
    assert drawn["layer"][1]["encoding"]["color"]["legend"] is None


@pytest.mark.parametrize("log_x", [False, True])
def test_it_is_drawn_with_a_curve_a_reading_and_a_rectangle_a_phase(log_x: bool) -> None:
    picture = vegalite_to_svg(standalone(training_curves(ROWS, phases=GROUND, log_x=log_x).to_dict()))
    assert picture.count('aria-roledescription="rect mark"') == len(GROUND)
    assert picture.count('aria-roledescription="line mark"') == 3
    assert "NaN" not in picture
