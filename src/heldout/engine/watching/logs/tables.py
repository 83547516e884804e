"""The table of a run: one row a step and reading, as a watched run has it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from heldout.engine.numerics import binomial_inverse_lower, binomial_inverse_upper
from heldout.engine.numerics.domain import Floats
from heldout.engine.watching.logs.scalars import Series
from heldout.engine.watching.selection import counted
from heldout.records import Status

if TYPE_CHECKING:
    import pandas

COLUMNS = ("step", "member", "name", "family", "value", "low", "high", "standard_error", "unit", "direction", "status", "reason",
           "seconds")  # fmt: skip
LONG = 4000  # points of a curve beyond which its neighbours are averaged for phases and pictures
CONFIDENCE = 0.95


def table_of(series: Mapping[str, Series], validation: int | None = None) -> "pandas.DataFrame":
    """Rows of the readings, by step. Where both errors are there, ``gap`` is their difference.

    A training error is the latest at or before the step of the validation error; loops often log a running average of it,
    which lags behind. The gap's interval is that of the validation error: the training error is of the very examples.

    Args:
        series: Ours -> scalar.
        validation: Validation examples; None where unknown, and then no interval.

    Returns:
        One row a reading and step.
    """
    import pandas

    times = [each.time[np.isfinite(each.time)] for each in series.values()]
    known = np.concatenate([*times, np.empty(0)])
    begun = float(known.min()) if len(known) else np.nan
    parts = []
    errors = series.get("validation-error")
    low, high = (None, None) if errors is None or validation is None else intervals(errors.value, validation)
    for name, each in series.items():
        mine = name == "validation-error"
        parts.append(_rows(name, each, each.time - begun, low if mine else None, high if mine else None))
    if errors is not None and "train-error" in series:
        train = series["train-error"]
        place = np.searchsorted(train.step, errors.step, side="right") - 1
        there = place >= 0
        known_train = train.value[place[there]]
        gap = Series(errors.step[there], errors.value[there] - known_train, errors.time[there])
        ends = [None if end is None else end[there] - known_train for end in (low, high)]
        parts.append(_rows("gap", gap, gap.time - begun, *ends))
    if not parts:
        return pandas.DataFrame({column: [] for column in COLUMNS})
    return pandas.concat(parts, ignore_index=True).sort_values("step", kind="stable", ignore_index=True)


def intervals(errors: Floats, examples: int) -> tuple[Floats, Floats]:
    """Exact two-sided intervals of shares of validation examples, each for itself.

    Args:
        errors: Shares ``[T]``.
        examples: Validation examples.

    Returns:
        Low and high ends, NaN where the share is no number.

    Example:
        >>> low, high = intervals(np.array([0.0]), 100)
        >>> low.tolist(), high.round(4).tolist()  # 1 - 0.025^(1/100)
        ([0.0], [0.0362])
    """
    level = np.log((1 - CONFIDENCE) / 2)
    there = np.isfinite(errors)
    wrong = np.array([counted(float(error), examples) for error in errors[there]], dtype=np.float64)
    low, high = np.full(len(errors), np.nan), np.full(len(errors), np.nan)
    if len(wrong):
        low[there] = binomial_inverse_lower(wrong, examples, level)
        high[there] = binomial_inverse_upper(wrong, examples, level)
    return low, high


def thinned(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """The table with long curves averaged over neighbours, for what is read off their course and for pictures.

    Args:
        table: Of a run.

    Returns:
        At most some thousand rows a reading; those of validation data are left as they are unless as long.
    """
    import pandas

    parts = []
    for _, rows in table.groupby("name", sort=False):
        if len(rows) > LONG:
            place = np.arange(len(rows)) * LONG // len(rows)
            numbers = ["value", "low", "high", "seconds"]
            means = rows[numbers].groupby(place).mean()
            rows = rows.groupby(place).last()
            rows[numbers] = means
        parts.append(rows)
    if not parts:
        return table
    return pandas.concat(parts, ignore_index=True).sort_values("step", kind="stable", ignore_index=True)[list(COLUMNS)]


def _rows(name: str, series: Series, seconds: Floats, low: Floats | None, high: Floats | None) -> "pandas.DataFrame":
    import pandas

    there = np.isfinite(series.value)
    nothing = np.full(len(there), np.nan)
    return pandas.DataFrame({
        "step": series.step,
        "member": 0,
        "name": name,
        "family": "log",
        "value": np.where(there, series.value, np.nan),
        "low": nothing if low is None else low,
        "high": nothing if high is None else high,
        "standard_error": nothing,
        "unit": "",
        "direction": "higher is worse",
        "status": np.where(there, Status.OK.code, Status.NOT_FINITE.code),
        "reason": np.where(there, "", "the log has no finite number here"),
        "seconds": seconds,
    })
