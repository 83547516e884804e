"""Measures beside each other: Kendall's tau with its interval, what chance gives, and the ceiling."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

#: One colour each, whichever of them a table has.
WORDS = (
    "predicts beyond the design", "points the wrong way", "predicts as the design does",
    "predicts, beyond the design or not is open", "underpowered", "nothing beyond chance",
)  # fmt: skip
KEPT = ("measure", "verdict", "kind", "value", "low", "high", "chance_low", "chance_high", "ceiling")


@figure(
    title="How each measure orders the networks",
    caption="Kendall's tau with its 95 % interval over configurations. The bar behind each mark is what chance gives; the dashed "
    "rule is what the exact target itself would reach on test sets of this size. Hollow marks are control rows of known worth.",
)
def judged_measures(judged_rows: Sequence[Mapping[str, Any]]) -> alt.LayerChart:
    """A row for each measure, in the order given.

    Args:
        judged_rows: Measure, verdict, kind, and its score by one criterion.

    Returns:
        The chart.
    """
    rows = [{key: row[key] for key in KEPT} for row in judged_rows if row["value"] is not None]
    names = [row["measure"] for row in rows]
    colours = alt.Scale(
        domain=list(WORDS), range=[*(f"var(--series-{place})" for place in range(len(WORDS) - 1)), "gray"]
    )
    present = [words for words in WORDS if any(row["verdict"] == words for row in rows)]
    # on a phone little is left beside the names
    columns, limit = alt.ExprRef("width < 400 ? 1 : 2"), alt.ExprRef("width < 400 ? width - 15 : 240")
    legend = alt.Legend(values=present, columns=columns, labelLimit=limit)
    axis = alt.X("value:Q", title="tau", scale=alt.Scale(domain=[-1, 1]))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("measure:N", title=None, sort=names, axis=alt.Axis(labelLimit=190)),
        tooltip=["measure:N", "verdict:N", *(alt.Tooltip(f"{key}:Q", format=".2f") for key in KEPT[3:])],
    )
    chance = base.mark_bar(height=11, color="gray", opacity=0.28).encode(x="chance_low:Q", x2="chance_high:Q")
    spread = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", color=alt.Color("verdict:N", scale=colours))
    marks = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=axis,
        color=alt.Color("verdict:N", title=None, scale=colours, legend=legend),
        stroke=alt.Stroke("verdict:N", title=None, scale=colours, legend=legend),
        fillOpacity=alt.condition("datum.kind == 'control'", alt.value(0), alt.value(1)),
    )
    # control rows have a value for every network; ceilings of measures that some networks lack differ by little
    whole = [row for row in rows if row["kind"] == "control"] or rows
    highest = [{"ceiling": value} for value in dict.fromkeys(row["ceiling"] for row in whole) if value is not None]
    rule = alt.Chart(alt.Data(values=highest)).mark_rule(strokeDash=[4, 3], color="gray").encode(x="ceiling:Q")
    layers = [*([rule] if highest else []), chance, spread, marks]
    return alt.LayerChart(layer=layers).properties(height=17 * max(1, len(rows)))
