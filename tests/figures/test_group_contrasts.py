"""Contrasts: one mark a reading, at most 25."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn, rows_of


def test_group_contrasts() -> None:
    shown = [row["name"] for row in rows_of(drawn("group-contrasts", grouped()))]
    clear = [row["name"] for row in grouped()["contrasts"] if row["gap_in_deviations"] is not None]
    assert shown == clear[:25]
