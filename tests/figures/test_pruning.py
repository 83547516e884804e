"""Pruning: one line a network."""

from tests.figures.records import single
from tests.figures.test_figures import drawn, rows_of


def test_pruning() -> None:
    chart = drawn("pruning", single())
    assert chart["encoding"]["detail"]["field"] == "member"
    assert max(row["kept"] for row in rows_of(chart)) <= 1
