"""The layer profile: layers stand in their own order, and rows without a logarithm are left out."""

from tests.figures.records import single
from tests.figures.test_figures import drawn, rows_of

from heldout.faces.report.drawing import tables
from heldout.figures.layer_divergence import layer_divergence_by_layer


def test_layers_stand_in_order() -> None:
    chart = drawn("layer-divergence-by-layer", single())
    layers = list(dict.fromkeys(row["layer"] for row in tables(single())["layer_divergence"]))
    assert layers[0] == "input"
    assert [layer["encoding"]["x"]["sort"] for layer in chart["layer"]] == [layers] * 2


def test_what_has_no_logarithm_is_left_out() -> None:
    row = {"member": 0, "group": "", "layer": "a", "wasserstein": 1.0, "product": 1.0, "funnel": True, "amplified": 2.0,
           "amplified_by_chance": 1.0}  # fmt: skip
    chart = layer_divergence_by_layer([row, {**row, "amplified": 0.0}, {**row, "amplified_by_chance": None}]).to_dict()
    assert [each["amplified"] for each in rows_of(chart)] == [2.0] * (len(rows_of(chart)))
