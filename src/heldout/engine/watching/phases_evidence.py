"""What a training's risks say for each change of phase, row by row: its standard errors beyond a bar, and where it began."""

from typing import NamedTuple

import numpy as np

from heldout.engine.numerics.level_changes import WIDTHS, earlier_extremes, excess
from heldout.engine.watching.changes import Risk

# Chosen on the calibration trainings of benchmarks/phases.py; what they give on others stands in docs/phases.md.
BAR = 4.0  # standard errors: over the rows of a run and all widths noise alone passes 3 in every tenth run
FALL = (
    0.05  # share of the first training risk that must be gone before it has fallen, and of its gain before it has risen
)
RISE = 0.02  # share of what validation had gained that must be lost before a rise is named
LUCK = 0.15  # the same of validation risk: an untrained network's error is off that of guessing by as much
CARRIED = 0.25  # of the share of training risk removed, what validation must lose too: noise gives 0 to 0.1, patterns 0.5 to 1
HALF = 0.5  # share of training risk that must be gone before validation is expected to follow
FITTED = 0.9  # share of training risk gone at its floor
LONG = 1.25  # steps to where grokking begins over those to the floor: nearly all pairs give 1.0, half of them 1.5
ONSET = 0.1  # share of a change at which it has begun, as of a rise time


class Change(NamedTuple):
    """A change of phase.

    Attributes:
        detected: Step at which it was seen.
        begin: Step at which it is estimated to have begun.
        z: Standard errors beyond the bar.
        why: In words.
    """

    detected: int
    begin: int
    z: float
    why: str


class Test(NamedTuple):
    """One question to a risk, at every width and row.

    Attributes:
        risk: The series.
        sign: 1 where it should lie above the bar, -1 below.
        bars: ``[W, T]``, in the unit of its levels; NaN where it cannot be asked.
        origin: Level that the change comes from, ``[W, T]``.
        first: Row before which the change cannot have begun.
        limit: z of another condition at the same rows, ``[T]``.
    """

    risk: Risk
    sign: int
    bars: np.ndarray
    origin: np.ndarray
    first: int
    limit: np.ndarray

    def change(self, after: int, bar: float) -> Change | None:
        """The first row at which the answer is yes.

        Args:
            after: Step before which it is not asked.
            bar: Standard errors.

        Returns:
            The change; None if there is none.
        """
        risk = self.risk
        z, width = excess(self.sign * risk.means, self.sign * self.bars, risk.noise, risk.shared)
        z = np.minimum(z, self.limit)
        rows = np.flatnonzero((z >= bar) & (risk.step >= after))
        if not len(rows):
            return None
        row = int(rows[0])
        at = WIDTHS.index(int(width[row]))
        origin, now = self.origin[at, row], risk.means[at, row]
        share = (risk.means[at, self.first : row] - origin) / (now - origin)
        early = np.flatnonzero(share <= ONSET)
        begin = self.first + max(int(early[-1]) - (int(width[row]) - 1) // 2, 0) if len(early) else self.first
        was, is_now = risk.risk(np.array([origin, now]))
        words = f"{risk.name.replace('-', ' ')} went from {was:.3g} to {is_now:.3g}"
        return Change(int(risk.step[row]), int(risk.step[begin]), float(z[row]), words)


def no_limit(risk: Risk) -> np.ndarray:
    """No other condition."""
    return np.full(len(risk.step), np.inf)


def fallen(risk: Risk, share: np.ndarray | float, after: int = 0) -> Test:
    """Is more than a share of the first risk gone, in windows that begin no earlier than a step?"""
    first = _row(risk, after)
    bars = risk.unit(risk.start * (1 - share) * np.ones_like(risk.means))
    for row, width in enumerate(WIDTHS):
        bars[row, : first + width - 1] = np.nan
    return Test(risk, -1, bars, np.full_like(risk.means, risk.level[0]), first, no_limit(risk))


def generalising(training: Risk | None, validation: Risk, after: int = 0) -> Test:
    """Has validation lost a quarter of the share that training has, or more?"""
    removed = np.zeros_like(validation.means) if training is None else validation.at(training.step, training.removed)
    return fallen(validation, np.maximum(CARRIED * removed, LUCK), after)


def memorising(training: Risk, validation: Risk) -> Test:
    """Is half of the training risk gone, and not even a quarter of that share of validation's?"""
    removed = validation.at(training.step, training.removed)
    bars = validation.unit(validation.start * (1 - CARRIED * removed))
    half = fallen(training, HALF)
    z, _ = excess(-training.means, -half.bars, training.noise, training.shared)
    origin = np.full_like(validation.means, validation.level[0])
    return Test(validation, 1, bars, origin, 0, validation.at(training.step, z[None])[0])


def rising(training: Risk | None, validation: Risk, begin: int, *, together: bool) -> Test:
    """Has validation lost some of its gain again, training staying within that share of its best, or losing it too (together)?"""
    first = _row(validation, begin)
    lowest = earlier_extremes(validation.means, first)
    least = validation.risk(lowest)
    bars = validation.unit(least + RISE * (validation.start - least))
    limit = no_limit(validation)
    if training is not None:
        best = np.fmax.accumulate(training.removed, axis=1)
        lost = Test(
            training, 1, training.unit(training.start * (1 - best * (1 - FALL))), training.means, 0, no_limit(training)
        )
        z, _ = excess(training.means, lost.bars, training.noise, training.shared)
        z = validation.at(training.step, z[None])[0]
        limit = z if together else np.where(z < 0, np.inf, -np.inf)
    return Test(validation, 1, bars, lowest, first, limit)


def falling_again(validation: Risk, begin: int) -> Test:
    """Has validation lost a quarter of what it rose by, or more?"""
    first = _row(validation, begin)
    highest = -earlier_extremes(-validation.means, first)
    lowest = np.fmin.accumulate(validation.means, axis=1)
    least, most = validation.risk(lowest), validation.risk(highest)
    margin = np.maximum(RISE * (validation.start - least), CARRIED * (most - least))
    bars = validation.unit(most - margin)
    return Test(validation, -1, bars, highest, first, no_limit(validation))


def lost(training: Risk) -> Test:
    """Is less than a quarter left of what training had removed at its best, that having been half of the risk?"""
    best = np.fmax.accumulate(training.removed, axis=1)
    bars = np.where(best >= HALF, training.unit(training.start * (1 - CARRIED * best)), np.nan)
    origin = np.fmin.accumulate(training.means, axis=1)
    return Test(training, 1, bars, origin, 0, no_limit(training))


def halved(training: Risk, by: int) -> int:
    """Step at which half of the training risk was gone, as known at a step.

    Args:
        training: The risk.
        by: Step.

    Returns:
        The last row until then at which less was gone, at the width of two rows.
    """
    known = training.step <= by
    less = np.flatnonzero(known & (np.nan_to_num(training.removed[1]) < HALF))
    return int(training.step[less[-1]]) if len(less) else int(training.step[0])


def floor_step(training: Risk, by: int) -> float:
    """Step at which training risk reached its floor, as known at a step; infinite if it had not."""
    there = np.flatnonzero((training.step <= by) & (training.removed[0] >= FITTED))
    return float(training.step[there[0]]) if len(there) else float("inf")


def _row(risk: Risk, step: int) -> int:
    return min(int(np.searchsorted(risk.step, step)), len(risk.step) - 1)
