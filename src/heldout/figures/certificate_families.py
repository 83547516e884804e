"""Certificates of all families on one axis, from useful to absurd."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

KEPT = ("name", "family", "member", "value", "empirical_risk", "status", "kept", "highest")


@figure(
    title="Every family on one axis",
    caption="A mark for each bound and network, on a logarithmic axis. Right of the rule a bound is at or above the largest value "
    "of the loss: true, and empty. Ticks show the loss on the examples that the bound used. Hollow marks are estimates and "
    "correlates, which promise nothing.",
)
def certificate_families(family_certificates: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Bounds by family with the rule of emptiness.

    Args:
        family_certificates: Rows of the record, with ``kept``: whether a theorem stands behind them.

    Returns:
        The chart.
    """
    rows: list[dict[str, Any]] = [{key: row[key] for key in KEPT} for row in family_certificates if row["value"]]
    names = list(dict.fromkeys(str(row["name"]) for row in rows))
    axis = alt.X("value:Q", title="risk at most", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g"))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=280)),
        tooltip=[
            "name:N",
            "family:N",
            "member:N",
            alt.Tooltip("value:Q", format=".4g"),
            "empirical_risk:Q",
            "status:N",
        ],
    )
    marks = base.mark_point(filled=True, size=80).encode(
        x=axis,
        color=alt.Color("family:N"),
        stroke=alt.Stroke("family:N"),
        fillOpacity=alt.condition("datum.kept", alt.value(1), alt.value(0)),
    )
    highest = [{"highest": value} for value in dict.fromkeys(row["highest"] for row in rows)]
    rule = alt.Chart(alt.Data(values=highest)).mark_rule(strokeDash=[4, 3]).encode(x="highest:Q")
    seen = [row for row in rows if row["empirical_risk"] > 0]  # a logarithmic axis has no place for 0
    if not seen:
        return rule + marks
    ticks = base.properties(data=alt.Data(values=seen)).mark_tick(thickness=2, size=14, color="gray")
    return rule + ticks.encode(x="empirical_risk:Q") + marks
