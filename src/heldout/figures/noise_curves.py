"""Training error under noise in the weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Perturbation curves",
    caption="Expected training error when Gaussian noise is added to the weights: of one size for all (plain), or in proportion "
    "to each weight (magnitude-aware). Bars are one standard error. Where a curve crosses a tenth (dashed) is the sigma of the "
    "flatness readings; further right is flatter.",
)
def noise_curves(noise_curve: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Error against the scale of the noise, on a logarithmic axis; a menu chooses the kind of noise.

    Args:
        noise_curve: Rows with member, kind, sigma, error, standard_error.

    Returns:
        The chart.
    """
    kinds = list(dict.fromkeys(str(row["kind"]) for row in noise_curve))
    kind = alt.param(name="kind", value=kinds[0], bind=alt.binding_select(options=kinds, name="noise "))
    base = (
        alt
        .Chart(alt.Data(values=list(noise_curve)))
        .transform_filter(alt.datum.kind == kind)
        .transform_filter("datum.error < 0.5")  # beyond, the network is gone and the crossing too small to see
        .encode(
            x=alt.X("sigma:Q", title="sigma of the noise", scale=alt.Scale(type="log", nice=False)), detail="member:N"
        )
    )
    line = base.mark_line(point=alt.OverlayMarkDef(size=16), strokeWidth=1.4).encode(
        y=alt.Y("error:Q", title="training error", axis=alt.Axis(format="%")),
        color=alt.Color("group:N", title=None),
        tooltip=["member:N", "group:N", alt.Tooltip("sigma:Q", format=".4g"), alt.Tooltip("error:Q", format=".2%")],
    )
    bars = base.mark_errorbar().encode(
        y=alt.Y("error:Q", title="training error"), yError="standard_error:Q", color=alt.Color("group:N", title=None)
    )
    target = (
        alt
        .Chart(alt.Data(values=[{"target": 0.1}]))
        .mark_rule(strokeDash=[4, 3], color="gray")
        .encode(y=alt.Y("target:Q", title="training error"))
    )
    return (target + bars + line).add_params(kind)
