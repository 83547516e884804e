"""Spectral densities of the training loss's curvature."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Spectrum of the curvature",
    caption="How many directions of the weights have how much curvature: density of the eigenvalues of the Hessian of the training "
    "loss, or of its Gauss-Newton matrix, on a logarithmic axis; the bands are one standard error over six random vectors. Most "
    "directions are flat, the hump at zero; few large ones stand apart on the right, as many as there are classes or so. What "
    "lies left of zero is negative curvature: the training has not come to a minimum. Choose the matrix below the chart.",
)
def curvature_spectrum(curvature_density: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Density against eigenvalue; a menu chooses the matrix.

    Args:
        curvature_density: Rows with member, matrix, eigenvalue, density, low, high.

    Returns:
        The chart.
    """
    kinds = list(dict.fromkeys(str(row["matrix"]) for row in curvature_density))
    kind = alt.param(name="matrix", value=kinds[0], bind=alt.binding_select(options=kinds, name="matrix "))
    base = (
        alt
        .Chart(alt.Data(values=list(curvature_density)))
        .transform_filter(alt.datum.matrix == kind)
        .encode(x=alt.X("eigenvalue:Q", title="eigenvalue"), detail="member:N")
    )
    axis = alt.Y("density:Q", title="density", scale=alt.Scale(type="log", nice=False))
    line = base.mark_line(strokeWidth=1.6).encode(
        y=axis,
        color=alt.Color("group:N", title=None),
        tooltip=[
            "member:N",
            "group:N",
            alt.Tooltip("eigenvalue:Q", format=".3g"),
            alt.Tooltip("density:Q", format=".3g"),
        ],
    )
    band = base.mark_area(opacity=0.2).encode(
        y=alt.Y("low:Q", title="density", scale=alt.Scale(type="log", nice=False)), y2="high:Q",
        color=alt.Color("group:N", title=None),
    )  # fmt: skip
    return (band + line).add_params(kind)
