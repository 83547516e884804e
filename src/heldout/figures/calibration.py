"""Confidence against accuracy."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Reliability on unseen data",
    caption="Test examples in bins of the network's confidence: how often it is right against how sure it is. On the diagonal it "
    "is calibrated; below it, overconfident. The size of a mark is the number of examples.",
)
def calibration(reliability: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Accuracy against confidence, with the diagonal.

    Args:
        reliability: Rows with member, bin, confidence, accuracy, examples.

    Returns:
        The chart.
    """
    rows = [row for row in reliability if row["accuracy"] is not None]
    marks = (
        alt
        .Chart(alt.Data(values=rows))
        .mark_point(filled=True, opacity=0.8)
        .encode(
            x=alt.X("confidence:Q", title="confidence", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("accuracy:Q", title="accuracy", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            size=alt.Size("examples:Q", legend=None, scale=alt.Scale(range=[20, 300])),
            color=alt.Color("group:N", title=None),
            tooltip=[
                "member:N",
                "group:N",
                alt.Tooltip("confidence:Q", format=".1%"),
                alt.Tooltip("accuracy:Q", format=".1%"),
                "examples:Q",
            ],
        )
    )
    diagonal = (
        alt
        .Chart(alt.Data(values=[{"at": 0}, {"at": 1}]))
        .mark_line(strokeDash=[4, 3], color="gray")
        .encode(x=alt.X("at:Q", title="confidence"), y=alt.Y("at:Q", title="accuracy"))
    )
    return diagonal + marks
