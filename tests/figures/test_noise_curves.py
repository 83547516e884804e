"""Perturbation curves: the target is where flatness is read."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn, rows_of


def test_noise_curves() -> None:
    chart = drawn("noise-curves", grouped())
    assert {"target": 0.1} in rows_of(chart)
    assert [parameter["bind"]["options"] for parameter in chart["params"]] == [["plain", "magnitude-aware"]]
