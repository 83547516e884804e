"""Which readings tell two groups apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from heldout.catalog import figure

SHOWN = 25  # the clearest; the table has all


@figure(
    title="What tells the groups apart",
    caption="Distance between the groups' means in units of their standard deviation, for the readings that separate them best, "
    "from the training data alone. Filled marks separate them completely.",
)
def group_contrasts(contrasts: Sequence[Mapping[str, Any]]) -> alt.Chart:
    """A mark for each reading, the clearest first; of several pairs of groups a menu chooses one.

    Args:
        contrasts: Rows of the record.

    Returns:
        The chart.
    """
    clear = [row for row in contrasts if row["gap_in_deviations"] is not None]
    pairs = {f"{row['first']} and {row['second']}": (row["first"], row["second"]) for row in clear}
    rows = [
        {
            "pair": label,
            "name": row["name"],
            "distance": abs(row["gap_in_deviations"]),
            "higher": row["second"] if row["gap_in_deviations"] > 0 else row["first"],
            "separation": "complete" if row["area"] in (0.0, 1.0) else "partial",
            "area": row["area"],
        }
        for label, pair in pairs.items()
        for row in [row for row in clear if (row["first"], row["second"]) == pair][:SHOWN]
    ]
    chart = (
        alt
        .Chart(alt.Data(values=rows))
        .mark_point(size=70, strokeWidth=2)
        .encode(
            x=alt.X("distance:Q", title="distance in standard deviations", scale=alt.Scale(type="sqrt")),
            y=alt.Y("name:N", title=None, sort="-x", axis=alt.Axis(labelLimit=190)),
            color=alt.Color("higher:N", title="higher in"),
            fill=alt.condition("datum.separation == 'complete'", alt.Color("higher:N"), alt.value("transparent")),
            tooltip=[
                "name:N",
                "higher:N",
                alt.Tooltip("distance:Q", format=".3g"),
                alt.Tooltip("area:Q", format=".3g"),
            ],
        )
        .properties(height=17 * max(1, len(rows) // max(1, len(pairs))))
    )
    if len(pairs) < 2:
        return chart
    menu = alt.binding_select(options=list(pairs), name="groups ")
    pair = alt.param(name="pair", value=next(iter(pairs)), bind=menu)
    return chart.transform_filter(alt.datum.pair == pair).add_params(pair)
