"""Seen against unseen examples, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Seen and unseen examples, layer by layer",
    caption="Sliced Wasserstein distance of what each layer receives of training and of test examples, times the spectral norms of "
    "the layers above, solid; dashed, what shuffling seen and unseen examples gives. Where the solid line leaves the dashed one, "
    "training examples have become special; the lowest point is the generalization funnel.",
)
def layer_divergence_by_layer(layer_divergence: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """The amplified distance of every layer on a logarithmic axis, a line for each network.

    Args:
        layer_divergence: Rows with member, place, layer, amplified, amplified_by_chance, wasserstein, product, funnel.

    Returns:
        The chart.
    """
    rows = [row for row in layer_divergence if row["amplified"] and row["amplified_by_chance"]]  # zero has no logarithm
    order = list(dict.fromkeys(str(row["layer"]) for row in rows))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("layer:N", title="layer that receives it", sort=order),
        color=alt.Color("group:N", title=None),
        detail="member:N",
        tooltip=["member:N", "group:N", "layer:N", alt.Tooltip("amplified:Q", format=".3g"),
                 alt.Tooltip("wasserstein:Q", format=".3g"), alt.Tooltip("product:Q", format=".3g"), "funnel:N"],
    )  # fmt: skip
    line = base.mark_line(strokeWidth=1.6, point=True).encode(
        y=alt.Y("amplified:Q", title="distance times norms above", scale=alt.Scale(type="log"))
    )
    chance = base.mark_line(strokeDash=[4, 3], opacity=0.7, strokeWidth=1.2).encode(
        y=alt.Y("amplified_by_chance:Q", title="distance times norms above")
    )
    return line + chance
