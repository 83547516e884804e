"""Certificates beside each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="What is certified",
    caption="Upper bounds on the risk, a mark for each network and bound; ticks show the loss that was observed on the same held-out "
    "examples. Lower is stronger. Each holds on its own at its delta; the smallest of several does not.",
)
def certificate_values(certificates: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Bounds and observed losses, bound by bound.

    Args:
        certificates: Rows of the record.

    Returns:
        The chart.
    """
    keep = ("name", "member", "group", "value", "empirical_risk", "status")
    rows = [{key: row.get(key) for key in keep} for row in certificates if row["value"] is not None]
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("name:N", title=None, sort="ascending"),
        tooltip=["name:N", "member:N", "group:N", alt.Tooltip("value:Q", format=".4g"), "empirical_risk:Q", "status:N"],
    )
    bounds = base.mark_point(filled=True, size=80, opacity=0.85).encode(
        x=alt.X("value:Q", title="risk at most"), color=alt.Color("group:N", title=None)
    )
    seen = base.mark_tick(thickness=2, size=14, color="gray").encode(x=alt.X("empirical_risk:Q", title="risk at most"))
    return seen + bounds
