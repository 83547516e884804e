"""How the losses of examples move together over the posterior."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Correlations of examples",
    caption="Correlation over the posterior of the losses of pairs of training examples, at most forty of them evenly spaced. Red: "
    "what fits the one fits the other. Blue: one is gained at the other's cost. Blocks are examples that rest on the same part of "
    "the network.",
)
def loss_correlations(posterior_correlations: Sequence[Mapping[str, Any]]) -> alt.TopLevelMixin:
    """A square a pair, one panel a network.

    Args:
        posterior_correlations: Rows with label, first, second, correlation, standard_error.

    Returns:
        The chart.
    """
    square = (
        alt
        .Chart(alt.Data(values=[dict(row) for row in posterior_correlations]))
        .mark_rect()
        .encode(
            x=alt.X("first:O", title="example", axis=alt.Axis(labelOverlap=True)),
            y=alt.Y("second:O", title="example", axis=alt.Axis(labelOverlap=True)),
            color=alt.Color(
                "correlation:Q", title=None, scale=alt.Scale(scheme="redblue", domain=[-1, 1], reverse=True)
            ),
            tooltip=[
                "first:O", "second:O", alt.Tooltip("correlation:Q", format=".2f"), alt.Tooltip("standard_error:Q", format=".2f"),
            ],
        )
    )  # fmt: skip
    networks = list(dict.fromkeys(row["label"] for row in posterior_correlations))
    if len(networks) > 1:
        return square.properties(height=220).facet(alt.Facet("label:N", title=None, sort=networks), columns=2)
    return square
