"""The chains of a sampled posterior."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Chains",
    caption="Excess loss over the centre in units of temperature, one line a chain after burn-in. Its mean is the learning "
    "coefficient. Chains that have reached equilibrium overlap and have no trend; a line of its own is a chain in another basin.",
)
def posterior_chains(posterior_traces: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    """Lines by draw, one panel a network.

    Args:
        posterior_traces: Rows with label, chain, draw, value.

    Returns:
        The chart.
    """
    networks = list(dict.fromkeys(row["label"] for row in posterior_traces))
    several = len(networks) > 1
    line = (
        alt
        .Chart(alt.Data(values=[dict(row) for row in posterior_traces]))
        .mark_line(strokeWidth=0.8, opacity=0.8)
        .encode(
            x=alt.X("draw:Q", title="draw"),
            y=alt.Y(
                "value:Q",
                title="excess loss" if several else "excess loss, in units of temperature",
                scale=alt.Scale(zero=False),
            ),
            color=alt.Color("chain:N", title="chain"),
            tooltip=["label:N", "chain:N", "draw:Q", alt.Tooltip("value:Q", format=".4g")],
        )
    )
    if several:
        return line.properties(height=160).facet(alt.Facet("label:N", title=None, sort=networks), columns=2)
    return line
