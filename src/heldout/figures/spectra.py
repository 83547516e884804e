"""Singular values of the layers beside those of random matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Spectra of the weights",
    caption="Singular values of each layer in descending order (batch norms folded), solid; dashed, those of a Gaussian matrix of "
    "the same shape and variance. Training lifts the first few above the dashed line. Choose the layer below the chart.",
)
def spectra(spectrum: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Singular values by rank, with the random reference; a menu chooses the layer.

    Args:
        spectrum: Rows with member, layer, rank, singular_value, reference.

    Returns:
        The chart.
    """
    layers = list(dict.fromkeys(str(row["layer"]) for row in spectrum))
    layer = alt.param(name="layer", value=layers[0], bind=alt.binding_select(options=layers, name="layer "))
    base = (
        alt
        .Chart(alt.Data(values=list(spectrum)))
        .transform_filter(alt.datum.layer == layer)
        .encode(x=alt.X("rank:Q", title="rank", scale=alt.Scale(type="log")), detail="member:N")
    )
    line = base.mark_line(strokeWidth=1.6).encode(
        y=alt.Y("singular_value:Q", title="singular value", scale=alt.Scale(zero=False)),
        color=alt.Color("group:N", title=None),
        tooltip=["member:N", "group:N", "layer:N", "rank:Q", alt.Tooltip("singular_value:Q", format=".4g")],
    )
    reference = base.mark_line(strokeDash=[4, 3], opacity=0.55, color="gray", strokeWidth=1.2).encode(
        y=alt.Y("reference:Q", title="singular value")
    )
    return (reference + line).add_params(layer)
