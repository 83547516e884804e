"""Which of several networks the posterior prefers as the data grow."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Preferred solutions",
    caption="Share of the posterior's mass near each network at so many examples, from n times its training loss and its learning "
    "coefficient times ln n; terms that stay bounded are left out. Where two curves cross, a solution that fits better takes over "
    "from a simpler one.",
)
def preferred_solutions(posterior_shares: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Shares by the number of examples, a colour a network.

    Args:
        posterior_shares: Rows with label, size, share.

    Returns:
        The chart.
    """
    networks = list(dict.fromkeys(row["label"] for row in posterior_shares))
    return (
        alt
        .Chart(alt.Data(values=[dict(row) for row in posterior_shares]))
        .mark_line(strokeWidth=1.8)
        .encode(
            x=alt.X("size:Q", title="examples", scale=alt.Scale(type="log", nice=False)),
            y=alt.Y("share:Q", title="share of the posterior's mass", axis=alt.Axis(format="%")),
            color=alt.Color("label:N", title=None, sort=networks),
            tooltip=["label:N", alt.Tooltip("size:Q", format=".4g"), alt.Tooltip("share:Q", format=".3%")],
        )
    )
