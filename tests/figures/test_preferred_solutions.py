"""Shares by the number of examples."""

from heldout.figures.preferred_solutions import preferred_solutions

ROWS = [{"label": name, "size": n, "share": share} for name, share in (("a", 0.9), ("b", 0.1)) for n in (10.0, 100.0)]


def test_the_rows_are_drawn_as_they_are() -> None:
    chart = preferred_solutions(ROWS).to_dict()
    assert chart["data"]["values"] == ROWS
    assert {chart["encoding"][axis]["field"] for axis in "xy"} == {"size", "share"}
