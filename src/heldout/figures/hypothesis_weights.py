"""The weight of the hypotheses near a network, in bits, by how much worse than it they may be."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Weight of the hypotheses",
    caption="Bits that single out, among networks drawn from the Gaussian that holds the chains, those whose loss exceeds the "
    "centre's by at most so much; the band is one standard error, the dashed line Chernoff's bound from below. Fewer bits are a "
    "simpler solution; the slope on this logarithmic axis is the learning coefficient over ln 2.",
)
def hypothesis_weights(posterior_weights: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """Bits against the excess loss, a colour a network.

    Args:
        posterior_weights: Rows with label, level, bits, low, high, chernoff_bits.

    Returns:
        The chart.
    """
    rows = [dict(row) for row in posterior_weights if row["level"] > 0]  # a logarithmic axis has no place for the rest
    networks = list(dict.fromkeys(row["label"] for row in rows))
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("level:Q", title="excess loss, at most", scale=alt.Scale(type="log", nice=False)),
        color=alt.Color("label:N", title=None, sort=networks),
    )
    bits = alt.Y("bits:Q", title="bits")
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title="bits"), y2="high:Q")
    line = base.mark_line(strokeWidth=1.8).encode(
        y=bits, tooltip=["label:N", alt.Tooltip("level:Q", format=".4g"), alt.Tooltip("bits:Q", format=".4g")]
    )
    bound = base.mark_line(strokeDash=[4, 3], strokeWidth=1.2).encode(y=alt.Y("chernoff_bits:Q", title="bits"))
    return band + line + bound
