"""Coherence and noise of the examples' gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Gradient coherence",
    caption="m-coherence: how many training examples a step along one example's gradient helps (1 if gradients are orthogonal). "
    "Across: the noise of the gradients. Both fall with the training loss: compare networks at equal loss.",
)
def gradient_coherence(readings: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Each network as a point: gradient noise across, m-coherence up.

    Args:
        readings: Rows of the record.

    Returns:
        The chart.
    """
    chosen = [row for row in readings if row["name"] in ("m-coherence", "gradient-noise") and row["value"] is not None]
    return (
        alt
        .Chart(alt.Data(values=[{key: row.get(key) for key in ("member", "group", "name", "value")} for row in chosen]))
        .transform_pivot("name", value="value", groupby=["member", "group"])
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            x=alt.X("gradient-noise:Q", title="gradient noise", scale=alt.Scale(zero=False)),
            y=alt.Y("m-coherence:Q", title="m-coherence"),
            color=alt.Color("group:N", title=None),
            tooltip=["member:N", "group:N", "gradient-noise:Q", "m-coherence:Q"],
        )
    )
