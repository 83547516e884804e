"""The learning coefficient along a ladder of temperatures."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Running learning coefficient",
    caption="Excess loss times the inverse temperature n beta at every rung of the ladder, with two standard errors: how many "
    "parameters count, twice over, at that many examples. Where the curve is level the coefficient has reached its limit; "
    "where it still rises flat directions are not yet told apart from the Gaussian that holds them.",
)
def running_coefficients(posterior_ladder: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Points with bars by temperature, a colour a network.

    Args:
        posterior_ladder: Rows with label, nbeta, running, low, high.

    Returns:
        The chart.
    """
    networks = list(dict.fromkeys(row["label"] for row in posterior_ladder))
    base = alt.Chart(alt.Data(values=[dict(row) for row in posterior_ladder])).encode(
        x=alt.X("nbeta:Q", title="n beta", scale=alt.Scale(type="log", nice=False)),
        color=alt.Color("label:N", title=None, sort=networks),
    )
    title = "learning coefficient"
    line = base.mark_line(point=alt.OverlayMarkDef(size=22), strokeWidth=1.8).encode(
        y=alt.Y("running:Q", title=title),
        tooltip=["label:N", alt.Tooltip("nbeta:Q", format=".4g"), alt.Tooltip("running:Q", format=".4g")],
    )
    return line + base.mark_rule().encode(y=alt.Y("low:Q", title=title), y2="high:Q")
