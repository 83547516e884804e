"""Figures of a training run: what belongs together shares one, every other reading has its own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from heldout.catalog import units
from heldout.faces.report.drawing import DRAWN

Row = Mapping[str, Any]
#: Figure -> title, and the readings that it shows together.
TOGETHER = {
    "losses": ("Loss", ("loss", "train-loss", "validation-loss", "test-loss")),
    "errors": ("Error", ("train-error", "validation-error", "test-error")),
    "gap": ("Gap: error on validation data minus error on training data", ("gap",)),
}
HEIGHT, SMALL = 240, 130
LONG = 100  # steps from which on they may be spaced by their logarithm


class Curves(NamedTuple):
    """A figure of a run.

    Attributes:
        title: Above it.
        caption: Below it, in the one figure that explains them all.
        readings: Names of those that it shows.
        large: Whether it is one of the first.
        specification: Vega-Lite.
    """

    title: str
    caption: str
    readings: tuple[str, ...]
    large: bool
    specification: dict[str, Any]


def curves_of(rows: Sequence[Row], phases: Sequence[Row]) -> dict[str, Curves]:
    """The figures of a run.

    Args:
        rows: Readings in the order of steps.
        phases: The phases that it went through.

    Returns:
        Figure's name -> figure; those of losses, errors and gap before all others.
    """
    names = dict.fromkeys(row["name"] for row in rows if row["value"] is not None)
    known = {name for _, own in TOGETHER.values() for name in own}
    plan = {figure: (title, [n for n in own if n in names], True) for figure, (title, own) in TOGETHER.items()}
    plan |= {name: (name.replace("-", " "), [name], False) for name in sorted(names) if name not in known}
    drawn, log_x = members_drawn(rows), spaced_by_logarithm(rows)
    kept = [
        {key: _rounded(row.get(key)) for key in ("step", "value", "name", "member", "low", "high", "unit")}
        for row in rows
        if row["value"] is not None and row.get("member", 0) in drawn
    ]
    last = max((row["step"] for row in rows), default=0)
    unit = units("figure")["training-curves"]
    return {
        figure: Curves(
            title,
            str(unit.fields["caption"]) if figure == "losses" else "",
            tuple(own),
            large,
            _specification([row for row in kept if row["name"] in own], ground(phases, last), log_x, large),
        )
        for figure, (title, own, large) in plan.items()
        if own
    }


def ground(phases: Sequence[Row], last: int) -> list[dict[str, Any]]:
    """Phases as a figure colours its ground: the one that goes on ends where the run is.

    Args:
        phases: As they were found.
        last: The run's last step.

    Returns:
        Rows with begin, end and name.

    Example:
        >>> ground([{"name": "fitting", "begin": 0, "end": None}], 12)
        [{'begin': 0, 'end': 12, 'name': 'fitting'}]
    """
    return [
        {"begin": phase["begin"], "end": last if phase["end"] is None else phase["end"], "name": phase["name"]}
        for phase in phases
    ]


def members_drawn(rows: Sequence[Row]) -> set[int]:
    """The members that figures draw: all, or as many evenly.

    Args:
        rows: Readings.

    Returns:
        Their places.
    """
    members = sorted({row.get("member", 0) for row in rows})
    return set(members[:: max(1, math.ceil(len(members) / DRAWN))])


def spaced_by_logarithm(rows: Sequence[Row]) -> bool:
    """Whether a run was read so often at its beginning that an even axis would hide it.

    Args:
        rows: Readings.

    Returns:
        Whether half of the steps lie in the first eighth of a long run.

    Example:
        >>> spaced_by_logarithm([{"step": 2**k} for k in range(12)]), spaced_by_logarithm([{"step": k} for k in range(300)])
        (True, False)
    """
    steps = sorted({row["step"] for row in rows})
    return bool(steps) and steps[-1] >= LONG and steps[len(steps) // 2] < steps[-1] / 8


def _specification(
    rows: list[dict[str, Any]], phases: list[dict[str, Any]], log_x: bool, large: bool
) -> dict[str, Any]:
    title = next((str(row["unit"]) for row in rows if row.get("unit")), "")
    axes = {"x": "step" if large else "", "y": title, "log_x": log_x}
    drawn: dict[str, Any] = units("figure")["training-curves"].function(rows, phases=phases, **axes).to_dict()
    drawn.pop("config", None)
    return {**drawn, "width": "container", "height": HEIGHT if large else SMALL}


def _rounded(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) and math.isfinite(value) else value
