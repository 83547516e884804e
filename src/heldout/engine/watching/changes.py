"""Series of a training run in units in which their noise is even, thinned by ratios of steps, each row knowing only earlier ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from heldout.engine.numerics.level_changes import WIDTHS, running_noise, window_means

if TYPE_CHECKING:
    import pandas

RATIO = 1.02  # steps of neighbouring rows: a long log costs a few hundred rows, and a detection comes at most 2 % late
UNSURE = 3  # rows after which the noise is first known, from two residuals; nothing is said before
FLOOR = 1e-3  # least noise, in either unit: what a millionth of the examples, or a thousandth of the loss, would make
LEAST = 1e-12  # a loss below it is rounding
ERRORS = ("train-error", "validation-error")


class Risk(NamedTuple):
    """A risk along a training, its last row what is known last.

    Attributes:
        name: Of the reading.
        step: ``[T]``.
        level: ``2 arcsin sqrt`` of an error, the logarithm of a loss, ``[T]``: binomial noise is then 1 / sqrt(n) at every error.
        means: Of its windows, ``[W, T]``.
        noise: From the rows so far, ``[T]``.
        shared: What no window averages away, since checkpoints answer the same examples, ``[T]``.
    """

    name: str
    step: np.ndarray
    level: np.ndarray
    means: np.ndarray
    noise: np.ndarray
    shared: np.ndarray

    def risk(self, level: np.ndarray) -> np.ndarray:
        """From the unit of the levels back to the risk."""
        return np.sin(np.clip(level, 0, np.pi) / 2) ** 2 if self.name in ERRORS else np.exp(level)

    def unit(self, risk: np.ndarray) -> np.ndarray:
        """From a risk to the unit of the levels."""
        if self.name in ERRORS:
            return 2 * np.arcsin(np.sqrt(np.clip(risk, 0, 1)))
        return np.log(np.maximum(risk, LEAST))

    @property
    def start(self) -> float:
        """The risk that the run began with, which is that of chance if it is watched from its beginning."""
        return float(self.risk(self.level[:1])[0])

    @property
    def removed(self) -> np.ndarray:
        """Share of the first risk that is gone, at every width and row, ``[W, T]``."""
        return 1 - self.risk(self.means) / self.start

    def at(self, steps: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Values at this risk's rows, ``[W, T]``, as they were last known at other steps; NaN before the first row."""
        place = np.searchsorted(self.step, steps, side="right") - 1
        return np.where(place >= 0, values[:, np.maximum(place, 0)], np.nan)


def risk_named(rows: "pandas.DataFrame", names: Sequence[str]) -> Risk | None:
    """The first of some readings that was read from the beginning, as a series.

    Those count whose first row is no later than the fourth of the reading that came first: what was chosen stays chosen.

    Args:
        rows: Of one member, by step: step, name, value, and where there are any low, high, standard_error.
        names: In order of preference.

    Returns:
        The series; None if none of them begins with a positive number.
    """
    series = {name: own for name in names if len(own := _readable(rows, name))}
    if not series:
        return None
    earliest = min(series.values(), key=lambda own: own.step.iloc[0]).step
    known = earliest.iloc[min(UNSURE, len(earliest) - 1)]
    name = next(name for name, own in series.items() if own.step.iloc[0] <= known)
    return _risk(name, series[name])


def _readable(rows: "pandas.DataFrame", name: str) -> "pandas.DataFrame":
    own = rows[(rows.name == name) & np.isfinite(rows.value)]
    return own if len(own) and own.value.iloc[0] > 0 else own[:0]


def _risk(name: str, own: "pandas.DataFrame") -> Risk:
    groups = thinned(own.step.to_numpy())
    own, groups = own[groups >= 0], groups[groups >= 0]
    count = np.bincount(groups)
    step = own.step.to_numpy(np.int64)[np.cumsum(count) - 1]
    spread = np.bincount(groups, _standard_errors(own)) / count
    bare = Risk(name, step, *[np.zeros(len(step))] * 4)
    level = np.bincount(groups, bare.unit(own.value.to_numpy(np.float64))) / count
    risk = bare.risk(level)
    if name in ERRORS:
        middle = np.clip(risk, spread, 1 - spread)  # at an error of 0 or 1 the interval says what a share could be
        spread = np.divide(spread, np.sqrt(middle * (1 - middle)), out=np.zeros_like(spread), where=spread > 0)
    else:
        spread = spread / risk
    noise = np.maximum(running_noise(level, np.log1p(step)), FLOOR)
    noise[:UNSURE] = np.inf
    return Risk(name, step, level, window_means(level, WIDTHS), noise, spread)


def _standard_errors(own: "pandas.DataFrame") -> np.ndarray:
    """As given, or a quarter of the 95 % interval; 0 where nothing is said."""
    found = np.full(len(own), np.nan)
    if {"low", "high"} <= set(own.columns):
        found = (own.high.to_numpy(np.float64) - own.low.to_numpy(np.float64)) / 3.92
    if "standard_error" in own.columns:
        given = own.standard_error.to_numpy(np.float64)
        found = np.where(np.isfinite(found), found, given)
    return np.where(np.isfinite(found), found, 0.0)


def thinned(step: np.ndarray) -> np.ndarray:
    """Groups of rows whose means are the series: each ends with the first row that is a fiftieth beyond the end of the one before.

    Args:
        step: Ascending.

    Returns:
        The group of each row; -1 for rows after the last whole group, which wait.

    Example:
        >>> thinned(np.array([0, 1, 2, 100, 101, 102, 103])).tolist()
        [0, 1, 2, 3, 4, 4, -1]
    """
    ends, at = [0], 0
    while (at := int(np.searchsorted(step, max(RATIO * step[ends[-1]], step[ends[-1]] + 1)))) < len(step):
        ends.append(at)
    groups = np.searchsorted(np.asarray(ends), np.arange(len(step)))
    return np.where(groups < len(ends), groups, -1)
