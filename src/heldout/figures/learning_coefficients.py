"""Learning coefficients along training."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

FEW = 5  # names of networks that stand beside each other


@figure(
    title="Learning coefficients",
    caption="Local learning coefficient of every network in the order in which they were given, such as the checkpoints of a "
    "training, by each estimator, with its interval of 95 %. The quadratic one is what the curvature at the centre alone would give: "
    "a coefficient far from it belongs to a singular loss. What did not converge has no point.",
)
def learning_coefficients(posterior_coefficients: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Points with error bars by network.

    Args:
        posterior_coefficients: Rows with label, estimator, value, low, high; value is None where there is none.

    Returns:
        The chart.
    """
    networks = list(dict.fromkeys(row["label"] for row in posterior_coefficients))
    base = alt.Chart(alt.Data(values=[dict(row) for row in posterior_coefficients])).encode(
        x=alt.X(
            "label:N",
            title=None,
            sort=networks,
            axis=alt.Axis(labelAngle=0 if len(networks) <= FEW else -40, labelLimit=180),
        ),
        xOffset=alt.XOffset("estimator:N"),
        color=alt.Color("estimator:N", title=None),
    )
    there = "isValid(datum.value)"
    points = (
        base
        .transform_filter(there)
        .mark_line(point=True, strokeWidth=1.2)
        .encode(
            y=alt.Y("value:Q", title="learning coefficient", scale=alt.Scale(zero=False)),
            tooltip=["label:N", "estimator:N", alt.Tooltip("value:Q", format=".4g")],
        )
    )
    bars = (
        base
        .transform_filter(f"{there} && isValid(datum.low)")
        .mark_rule(strokeWidth=1.4)
        .encode(y=alt.Y("low:Q", title="learning coefficient"), y2="high:Q")
    )
    return points + bars
