"""The examples' gradients beside their mean."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Gradient coherence",
    caption="Norms of the training examples' gradients, by quantile, and dashed the norm of their mean. The closer the dashed line "
    "to the curve, the more the examples agree; m-coherence is the square of their ratio times the number of examples. Norms fall "
    "with the training loss: compare networks at equal loss.",
)
def gradient_coherence(gradient_distribution: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Quantiles of the gradient norms on a logarithmic axis, a line for each network.

    Args:
        gradient_distribution: Rows with member, quantile, norm, mean_norm.

    Returns:
        The chart.
    """
    rows = [row for row in gradient_distribution if row["norm"] and row["mean_norm"]]  # zero has no logarithm
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("quantile:Q", title="share of the training examples", axis=alt.Axis(format="%")),
        color=alt.Color("group:N", title=None),
        detail="member:N",
        tooltip=["member:N", "group:N", alt.Tooltip("quantile:Q", format=".0%"), "norm:Q", "mean_norm:Q"],
    )
    norms = base.mark_line(strokeWidth=1.6).encode(
        y=alt.Y("norm:Q", title="gradient norm", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e"))
    )
    mean = base.mark_line(strokeDash=[4, 3], opacity=0.7, strokeWidth=1.2).encode(
        y=alt.Y("mean_norm:Q", title="gradient norm")
    )
    return mean + norms
