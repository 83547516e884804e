"""Hyper-parameter by hyper-parameter: a cell for each, pale within what chance gives."""

from tests.figures.test_figures import fields_of, rows_of

from heldout.figures.judged_axes import judged_axes


def test_cells() -> None:
    base = {"low": 0.1, "high": 0.9, "chance_low": -0.2, "chance_high": 0.2, "ceiling": 0.9, "criterion": "not drawn"}
    given = [
        {**base, "measure": "b", "axis": "width", "value": 0.5},
        {**base, "measure": "b", "axis": "depth", "value": 0.1},
        {**base, "measure": "a", "axis": "width", "value": -0.5},
        {**base, "measure": "a", "axis": "depth", "value": None},
    ]
    chart = judged_axes(given).to_dict()
    rows = {(r["measure"], r["axis"]): r["sure"] for r in rows_of(chart)}
    assert rows == {("b", "width"): True, ("b", "depth"): False, ("a", "width"): True}
    assert fields_of(chart) >= {"measure", "axis", "value"}
    assert chart["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]
    assert chart["layer"][0]["encoding"]["x"]["sort"] == ["width", "depth"]
