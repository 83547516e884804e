"""Reliability: every bin that holds examples is a mark."""

from tests.figures.records import single
from tests.figures.test_figures import drawn, rows_of

from heldout.faces.report.drawing import tables


def test_calibration() -> None:
    shown = [row for row in rows_of(drawn("calibration", single())) if "confidence" in row]
    given = [row for row in tables(single())["reliability"] if row["accuracy"] is not None]
    assert [row["examples"] for row in shown] == [row["examples"] for row in given]
