"""Margins: one line a network."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn, rows_of


def test_margins() -> None:
    chart = drawn("margins", grouped())
    assert chart["encoding"]["detail"]["field"] == "member"
    assert {row["member"] for row in rows_of(chart)} == {0, 1, 2, 3}
