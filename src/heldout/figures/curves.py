"""Curves of a study, with bands over seeds, in panels."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure


@figure(
    title="Curves",
    caption="One curve an arm; a band, where there is one, is the interval over seeds.",
)
def curves(
    study_curves: Sequence[Mapping[str, Any]], *, x: str = "", y: str = "", log_x: bool = False, log_y: bool = False
) -> alt.TopLevelMixin:
    """Lines with bands.

    Args:
        study_curves: Rows with x, y, curve, and where there are any low, high, panel.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        log_x: Whether that axis is logarithmic.
        log_y: Whether this one is.

    Returns:
        The chart.
    """
    horizontal = alt.X(
        "x:Q", title=x, scale=alt.Scale(type="log", nice=False) if log_x else alt.Scale(type="linear", zero=False)
    )
    scale = alt.Scale(type="log") if log_y else alt.Scale(type="linear", zero=False)
    tooltip = ["curve:N", alt.Tooltip("x:Q", format=".4~g", title=x), alt.Tooltip("y:Q", format=".4~g", title=y)]
    # the legend shows the lines' full colour, not the bands' pale one
    color = alt.Color("curve:N", title=None, legend=alt.Legend(labelLimit=320, symbolOpacity=1, symbolType="circle"))
    rows = alt.Data(values=[dict(row) for row in study_curves])
    line = (
        alt
        .Chart()
        .mark_line(point=alt.OverlayMarkDef(size=22), strokeWidth=1.8)
        .encode(
            x=horizontal,
            y=alt.Y("y:Q", title=y, scale=scale),
            color=alt.Color(
                "curve:N", title=None, legend=alt.Legend(labelLimit=320, symbolOpacity=1, symbolType="circle")
            ),
            tooltip=tooltip,
        )
    )
    layers: list[alt.Chart] = [line]
    if any(row.get("low") is not None for row in study_curves):
        band = alt.Chart().mark_area(opacity=0.18).encode(x=horizontal, y=alt.Y("low:Q"), y2="high:Q", color=color)
        layers.insert(0, band)
    drawn = alt.layer(*layers, data=rows)
    if any(row.get("panel") for row in study_curves):
        return drawn.facet(alt.Facet("panel:N", title=None), columns=2)
    return drawn
