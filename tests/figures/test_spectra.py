"""Spectra: the menu lists every layer."""

from tests.figures.records import single
from tests.figures.test_figures import drawn

from heldout.faces.report.drawing import tables


def test_spectra() -> None:
    chart = drawn("spectra", single())
    layers = list(dict.fromkeys(row["layer"] for row in tables(single())["spectrum"]))
    assert [parameter["bind"]["options"] for parameter in chart["params"]] == [layers]
