"""Certificates of all families on one axis, from useful to absurd."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

KEPT = ("name", "family", "member", "value", "empirical_risk", "status", "kept", "highest")
#: Told apart by most colour-blind eyes on light and dark ground (after Okabe and Ito), and by shape: together 36 families.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#7f7f7f")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


@figure(
    title="Every family on one axis",
    caption="A mark for each bound and network, on a logarithmic axis. Every family has a colour and a shape of its own, and its "
    "name stands at its first bound. Right of the rule a bound is at or above the largest value of the loss, or that of guessing: "
    "true, and empty. Ticks show the loss on the examples that the bound used. Hollow marks are estimates and correlates, which "
    "promise nothing.",
)
def certificate_families(family_certificates: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Bounds by family with the rule of emptiness.

    Args:
        family_certificates: Rows of the record, with ``kept``: whether a theorem stands behind them.

    Returns:
        The chart.
    """
    rows: list[dict[str, Any]] = [{key: row[key] for key in KEPT} for row in family_certificates if row["value"]]
    names, families = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("name", "family"))
    looks = [
        (COLOURS[place % len(COLOURS)], SHAPES[(place + place // len(COLOURS)) % len(SHAPES)])
        for place in range(len(families))
    ]
    colour = alt.Scale(domain=families, range=[colour for colour, _ in looks])
    shape = alt.Scale(domain=families, range=[shape for _, shape in looks])
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
    marks = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("value:Q", title="risk at most", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g")),
        color=alt.Color("family:N", scale=colour, legend=None),
        stroke=alt.Stroke("family:N", scale=colour, legend=None),
        shape=alt.Shape("family:N", scale=shape, legend=None),
        fillOpacity=alt.condition("datum.kept", alt.value(1), alt.value(0)),
    )
    highest = [{"highest": value} for value in dict.fromkeys(row["highest"] for row in rows)]
    rule = alt.Chart(alt.Data(values=highest)).mark_rule(strokeDash=[4, 3]).encode(x="highest:Q")
    seen = [row for row in rows if row["empirical_risk"] > 0]  # a logarithmic axis has no place for 0
    if not seen:
        return rule + marks + _named(base, rows, colour)
    ticks = base.properties(data=alt.Data(values=seen)).mark_tick(thickness=2, size=14, color="gray")
    return rule + ticks.encode(x="empirical_risk:Q") + marks + _named(base, rows, colour)


def _named(base: alt.Chart, rows: list[dict[str, Any]], colour: alt.Scale) -> alt.Chart:
    """Every family's name beside the first of its bounds, outside of the axes."""
    firsts = {str(row["family"]): {"name": row["name"], "family": row["family"]} for row in reversed(rows)}
    words = base.properties(data=alt.Data(values=list(firsts.values())[::-1]))
    return words.mark_text(align="left", dx=8, fontWeight="bold").encode(
        x=alt.value("width"), text="family:N", color=alt.Color("family:N", scale=colour, legend=None)
    )
