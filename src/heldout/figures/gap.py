"""Accuracy on the training and on unseen data."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

SHOWN = {"train-accuracy": "training data", "test-accuracy": "unseen data"}


@figure(
    title="The gap",
    caption="Accuracy on the training data and on unseen data, with the exact 95 % interval of the latter. The distance between "
    "the two marks of a network is its generalization gap.",
)
def gap(readings: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Two marks a network, the unseen one with its interval; nothing where no data are unseen.

    Args:
        readings: Rows of the record.

    Returns:
        The chart.
    """
    tested = any(row["name"] == "test-accuracy" and row["value"] is not None for row in readings)
    rows = [
        {**row, "data": SHOWN[row["name"]]}
        for row in readings
        if tested and row["name"] in SHOWN and row["value"] is not None
    ]
    keep = ("member", "group", "data", "value", "low", "high")
    base = alt.Chart(alt.Data(values=[{key: row.get(key) for key in keep} for row in rows])).encode(
        y=alt.Y("member:N", title="network"), color=alt.Color("data:N", title=None)
    )
    marks = base.mark_point(filled=True, size=80).encode(
        x=alt.X("value:Q", title="accuracy", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
        tooltip=["member:N", "group:N", "data:N", alt.Tooltip("value:Q", format=".2%"), "low:Q", "high:Q"],
    )
    bars = (
        base
        .transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=2)
        .encode(x=alt.X("low:Q", title="accuracy"), x2="high:Q")
    )
    return bars + marks
