"""Scalars of a log: by name, at steps."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heldout.engine.numerics.domain import Floats

MOST_STEPS = 2**53  # whole numbers beyond are no float64


class Series(NamedTuple):
    """One scalar along a training.

    Attributes:
        step: Ascending, each once ``[T]``.
        value: As logged; NaN and infinity are what they are ``[T]``.
        time: Seconds of the clock, NaN where it was not logged ``[T]``.
    """

    step: NDArray[np.int64]
    value: Floats
    time: Floats


class Log(NamedTuple):
    """What one log holds.

    Attributes:
        series: Name -> scalar.
        notes: Sentences on what was left out.
        unit: Of the steps, ``"step"`` or ``"epoch"``.
    """

    series: Mapping[str, Series]
    notes: tuple[str, ...] = ()
    unit: str = "step"


def series_of(step: Iterable[float], value: Iterable[float], time: Iterable[float] | None = None) -> Series:
    """A scalar in the order of its steps. Of several values at one step the one that was written last counts.

    A training that was interrupted and taken up again writes some steps twice; the second time is the one that went on.

    Args:
        step: In the order of writing.
        value: As written.
        time: Likewise; None where it is not known.

    Returns:
        The series.

    Example:
        >>> series_of([0, 2, 1, 2], [5.0, 9.0, 6.0, 7.0]).value.tolist()
        [5.0, 6.0, 7.0]
    """
    steps = np.asarray(step, dtype=np.int64)
    values = np.asarray(value, dtype=np.float64)
    times = np.full(len(steps), np.nan) if time is None else np.asarray(time, dtype=np.float64)
    _, last = np.unique(steps[::-1], return_index=True)
    kept = len(steps) - 1 - last
    return Series(steps[kept], values[kept], times[kept])


def joined(logs: Iterable[Log]) -> Log:
    """Logs of one run, the earlier first, as one.

    Args:
        logs: In the order of writing.

    Returns:
        The log.
    """
    found = list(logs)
    parts: dict[str, list[Series]] = {}
    for log in found:
        for name, one in log.series.items():
            parts.setdefault(name, []).append(one)
    series = {
        name: each[0] if len(each) == 1 else series_of(*(np.concatenate(column) for column in zip(*each, strict=True)))
        for name, each in parts.items()
    }
    return Log(series, tuple(note for log in found for note in log.notes), found[-1].unit)


def whole(number: float) -> int | None:
    """A step, if a number is one.

    Args:
        number: Any.

    Returns:
        The step; None for what is negative, no whole number or no number.

    Example:
        >>> whole(3.0), whole(2.5), whole(float("nan"))
        (3, None, None)
    """
    return int(number) if 0 <= number < MOST_STEPS and float(number).is_integer() else None
