"""Margins of the training examples."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Margins on the training data",
    caption="For each quantile of the training examples, the true logit minus the best other one. Below zero the network errs. "
    "A curve that leaves zero late belongs to a network that is sure of few examples only.",
)
def margins(margin_distribution: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Quantiles of the margins, a line for each network.

    Args:
        margin_distribution: Rows with member, quantile, margin.

    Returns:
        The chart.
    """
    return (
        alt
        .Chart(alt.Data(values=list(margin_distribution)))
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.6)
        .encode(
            x=alt.X("quantile:Q", title="share of the training examples", axis=alt.Axis(format="%")),
            y=alt.Y("margin:Q", title="margin (logits)"),
            color=alt.Color("group:N", title=None),
            detail="member:N",
            tooltip=[
                "member:N",
                "group:N",
                alt.Tooltip("quantile:Q", format=".0%"),
                alt.Tooltip("margin:Q", format=".4g"),
            ],
        )
    )
