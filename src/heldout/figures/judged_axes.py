"""Where a measure is right: its granulated tau on every hyper-parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

KEPT = ("measure", "axis", "value", "low", "high", "chance_low", "chance_high", "ceiling")


@figure(
    title="Hyper-parameter by hyper-parameter",
    caption="Granulated Kendall of every measure among networks that differ in one hyper-parameter alone: blue where a larger "
    "measure goes with more error, as it should, orange where it points the wrong way. Pale cells are within what chance gives.",
)
def judged_axes(judged_axis_rows: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """A cell for each measure and hyper-parameter.

    Args:
        judged_axis_rows: Measure, axis, and its score by one criterion; measures in the order given.

    Returns:
        The chart.
    """
    rows: list[dict[str, Any]] = [
        {**{key: row[key] for key in KEPT}, "sure": _outside(row)}
        for row in judged_axis_rows
        if row["value"] is not None
    ]
    names, axes = (list(dict.fromkeys(row[key] for row in rows)) for key in ("measure", "axis"))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("axis:N", title=None, sort=axes, axis=alt.Axis(orient="top", labelAngle=0 if len(axes) < 7 else -45)),
        y=alt.Y("measure:N", title=None, sort=names, axis=alt.Axis(labelLimit=190)),
        tooltip=["measure:N", "axis:N", *(alt.Tooltip(f"{key}:Q", format=".2f") for key in KEPT[2:])],
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            "value:Q",
            title="granulated tau",
            scale=alt.Scale(domain=[-1, 0, 1], range=["#d55e00", "#9a9a9a", "#0072b2"]),
            legend=alt.Legend(gradientLength=130),
        ),
        opacity=alt.condition("datum.sure", alt.value(0.9), alt.value(0.22)),
    )
    words = base.mark_text(fontSize=10).encode(
        text=alt.Text("value:Q", format=".2f"),
        color=alt.condition("datum.sure", alt.value("black"), alt.value("var(--figure-ink)")),
    )
    return (cells + words).properties(height=17 * max(1, len(names)))


def _outside(row: Mapping[str, Any]) -> bool:
    low, high = row["chance_low"], row["chance_high"]
    return bool(low is None or high is None or not low <= row["value"] <= high)
