"""Gradients: norms and their mean on one axis."""

from tests.figures.records import grouped
from tests.figures.test_figures import drawn


def test_gradient_coherence() -> None:
    chart = drawn("gradient-coherence", grouped())
    scales = [layer["encoding"]["y"].get("scale", {}).get("type") for layer in chart["layer"]]
    assert "log" in scales
    assert {layer["encoding"]["y"]["field"] for layer in chart["layer"]} == {"norm", "mean_norm"}
