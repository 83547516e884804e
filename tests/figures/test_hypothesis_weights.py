"""Bits with their band and bound; a level of zero has no place on a logarithmic axis."""

from heldout.figures.hypothesis_weights import hypothesis_weights

ROWS = [
    {"label": "a", "level": level, "bits": 3.0, "low": 2.5, "high": 3.5, "chernoff_bits": 2.0}
    for level in (-1e-9, 0.01, 0.1)
]


def test_the_rows_are_drawn_but_for_what_has_no_logarithm() -> None:
    chart = hypothesis_weights(ROWS).to_dict()
    rows = chart.get("data", chart["layer"][0].get("data"))["values"]
    assert rows == ROWS[1:]
    assert [layer["encoding"]["y"]["field"] for layer in chart["layer"]] == ["low", "bits", "chernoff_bits"]
