"""Readings of a training run by the step, over the phases it went through."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

#: Phase -> the place of its colour among the series, everywhere the same.
PHASES = {"fitting": 0, "memorising": 4, "generalising": 2, "grokking": 6, "overfitting": 1, "collapsed": 7}
#: Readings that everybody compares have a colour of their own; the first is drawn faintly, being of one batch.
CURVES = {"loss": 7, "train-loss": 0, "validation-loss": 1, "train-error": 0, "validation-error": 1, "gap": 2}
DECADES = [0, *(10**power for power in range(12))]


@figure(
    title="Readings of a training run",
    caption="Each reading by the step at which it was read; a pale band around a curve is its interval, coloured ground the phase "
    "that the run was in. What was read on one batch is drawn faintly.",
)
def training_curves(
    training_readings: Sequence[Mapping[str, Any]],
    *,
    phases: Sequence[Mapping[str, Any]] = (),
    x: str = "step",
    y: str = "",
    log_x: bool = False,
) -> alt.LayerChart:
    """Curves over coloured ground; its tables are called ``readings`` and ``phases``, so that a live page can add to them.

    Args:
        training_readings: Rows with step, value, name, member, and where there are any low, high.
        phases: Rows with begin, end (steps) and name.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        log_x: Whether steps are spaced by their logarithm (and step 0 has a place).

    Returns:
        The chart.
    """
    scale = alt.Scale(type="symlog", constant=1, nice=False) if log_x else alt.Scale(type="linear", nice=False)
    ticks = {"values": DECADES} if log_x else {"tickCount": 5}
    axis = alt.Axis(format=",d", grid=False, **ticks)
    step = alt.X("step:Q", title=x, scale=scale, axis=axis)
    names = list(dict.fromkeys(row["name"] for row in training_readings))
    free = iter(place for place in range(8) if place not in {CURVES.get(name) for name in names})
    colours = [f"var(--series-{CURVES[name] if name in CURVES else next(free, 7)})" for name in names]
    curve = alt.Color("name:N", title=None, scale=alt.Scale(domain=names, range=colours), legend=_legend(names))
    value = alt.Y("value:Q", title=y, scale=alt.Scale(zero=False), axis=alt.Axis(format="~g", tickCount=5))
    ground = (
        alt
        .Chart(alt.NamedData("phases"))
        .mark_rect(opacity=0.16)
        .encode(
            x=alt.X("begin:Q", scale=scale),
            x2="end:Q",
            fill=alt.Fill(
                "name:N",
                legend=None,
                scale=alt.Scale(
                    domain=[*PHASES, "undecided"],
                    range=[*(f"var(--series-{place})" for place in PHASES.values()), "transparent"],
                ),
            ),
            tooltip=["name:N", "begin:Q", "end:Q"],
        )
    )
    readings = alt.Chart(alt.NamedData("readings"))
    band = readings.mark_area(opacity=0.18).encode(x=step, y=alt.Y("low:Q", title=y), y2="high:Q", color=curve)
    detail = alt.Detail("member:N")
    line = readings.mark_line(strokeWidth=1.8, strokeJoin="round").encode(
        x=step,
        y=value,
        color=curve,
        detail=detail,
        opacity=alt.condition("datum.name === 'loss'", alt.value(0.45), alt.value(1)),
    )
    points = readings.mark_circle(size=34, opacity=0).encode(
        x=step,
        y=value,
        color=curve,
        tooltip=["name:N", "step:Q", alt.Tooltip("value:Q", format=".4~g"), "member:N"],
    )
    layers = (
        [ground, band, line, points]
        if any(row.get("low") is not None for row in training_readings)
        else [ground, line, points]
    )
    drawn = alt.layer(*layers).resolve_scale(fill="independent")
    drawn.datasets = {"readings": [dict(row) for row in training_readings], "phases": [dict(row) for row in phases]}
    return drawn


def _legend(names: Sequence[str]) -> alt.Legend | None:
    """One curve needs no legend: the axis has its name."""
    return alt.Legend(symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1) if len(names) > 1 else None
