"""The gap: two marks a network."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn, rows_of


def test_gap() -> None:
    shown = [row for row in rows_of(drawn("gap", grouped())) if "data" in row]
    assert sorted((row["member"], row["data"]) for row in shown if row["value"] is not None) == sorted({
        (member, data) for member in range(4) for data in ("training data", "unseen data")
    })
