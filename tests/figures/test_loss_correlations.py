"""A square a pair; several networks stand in panels."""

from heldout.figures.loss_correlations import loss_correlations

ROWS = [
    {"label": name, "first": i, "second": j, "correlation": 1.0 - abs(i - j), "standard_error": 0.1}
    for name in ("a", "b") for i in (0, 7) for j in (0, 7)
]  # fmt: skip


def test_every_pair_is_there() -> None:
    chart = loss_correlations(ROWS[:4]).to_dict()
    assert chart["data"]["values"] == ROWS[:4]
    assert chart["encoding"]["color"]["scale"]["domain"] == [-1, 1]


def test_networks_have_panels() -> None:
    assert loss_correlations(ROWS).to_dict()["facet"]["field"] == "label"
