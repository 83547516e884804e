"""Training error when small weights are set to zero."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Compressibility",
    caption="Training error when only the largest weights are kept, over all layers. A network whose error stays low with few "
    "weights has a short description.",
)
def pruning(pruning_curve: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """Error against the share of weights kept.

    Args:
        pruning_curve: Rows with member, kept, error.

    Returns:
        The chart.
    """
    return (
        alt
        .Chart(alt.Data(values=list(pruning_curve)))
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.6)
        .encode(
            x=alt.X("kept:Q", title="share of the weights kept", axis=alt.Axis(format="%")),
            y=alt.Y("error:Q", title="training error", axis=alt.Axis(format="%")),
            color=alt.Color("group:N", title=None),
            detail="member:N",
            tooltip=["member:N", "group:N", alt.Tooltip("kept:Q", format=".1%"), alt.Tooltip("error:Q", format=".1%")],
        )
    )
