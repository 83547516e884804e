"""Which change of phase is seen next: from each phase only some others can follow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from heldout.engine.watching import phases_evidence as evidence
from heldout.engine.watching.changes import Risk, risk_named
from heldout.engine.watching.phases_evidence import LONG, Change, Test, floor_step, halved

if TYPE_CHECKING:
    import pandas

TRAINING = ("train-error", "train-loss", "loss")
VALIDATION = ("validation-error", "validation-loss")
SATURATED = "softmax-collapse"
MOST = 0.5  # of the training examples: their gradients vanish in rounding, and the rest cannot turn the tide
BLIND = "; without validation data memorising and generalising cannot be told apart"
FIRM = math.inf  # z of what is counted and not estimated


@dataclass(frozen=True, slots=True)
class Place:
    """A phase as it was announced.

    Attributes:
        name: Of the phase; empty before the first.
        begin: Step.
        detected: Step.
    """

    name: str
    begin: int
    detected: int


def changes_of(rows: "pandas.DataFrame", bar: float) -> Iterator[tuple[str, Change]]:
    """The changes of phase of one member, each the first that is seen from the phase before.

    Args:
        rows: Its readings, by step.
        bar: Standard errors at which a change is announced.

    Yields:
        The name of the phase that begins, and the change.
    """
    training, validation = risk_named(rows, TRAINING), risk_named(rows, VALIDATION)
    broken, saturated = _not_finite(rows), _saturated(rows)
    steps = np.unique(rows.step.to_numpy(np.int64))
    now = Place("", int(steps[0]) - 1, int(steps[0]))
    while True:
        options = [(name, test.change(now.detected, bar)) for name, test in _questions(now, training, validation)]
        if now.name != "collapsed":
            options.append(("collapsed", broken))
        if now.name in ("", "fitting", "memorising"):  # a network that generalises may be as sure as it likes
            options.append(("collapsed", saturated))
        seen = [(name, change) for name, change in options if change is not None and change.detected >= now.detected]
        if not seen:
            return
        name, change = min(seen, key=lambda option: option[1].detected)
        name, change = _named(now.name, name, change, training, validation)
        begin = max(change.begin, int(steps[np.searchsorted(steps, now.begin, side="right")]))
        yield name, change._replace(begin=begin)
        now = Place(name, begin, change.detected)


def _questions(now: Place, training: Risk | None, validation: Risk | None) -> Iterator[tuple[str, Test]]:
    if training is not None and now.name not in ("", "collapsed"):
        yield "collapsed", evidence.lost(training)
    if training is not None and now.name == "":
        yield "fitting", evidence.fallen(training, evidence.FALL)
    if training is not None and now.name == "collapsed":
        yield "fitting", evidence.fallen(training, evidence.HALF, now.begin)
    if validation is None:
        return
    if now.name == "fitting" and training is not None:
        yield "memorising", evidence.memorising(training, validation)
    if now.name in ("fitting", "memorising") or (now.name == "" and training is None):
        yield "generalising", evidence.generalising(training, validation, now.begin)
    if now.name in ("generalising", "grokking"):
        yield "overfitting", evidence.rising(training, validation, now.begin, together=False)
        if training is not None:
            yield "undecided", evidence.rising(training, validation, now.begin, together=True)
    if now.name in ("overfitting", "undecided"):
        yield "generalising", evidence.falling_again(validation, now.begin)


def _named(
    before: str, name: str, change: Change, training: Risk | None, validation: Risk | None
) -> tuple[str, Change]:
    """The name in the light of the phase before, the begin of memorising, and what is added in words."""
    if name == "memorising" and training is not None:
        begin = halved(training, change.detected)
        return name, change._replace(
            begin=begin, why=f"half of the training risk was gone by step {begin}, and {change.why}"
        )
    if before == "memorising" and name == "generalising" and training is not None:
        floor = floor_step(training, change.detected)
        if change.begin >= LONG * floor:
            return "grokking", change._replace(
                why=f"{change.why}, long after training reached its floor at step {floor:.0f}"
            )
    if name == "undecided":
        return name, change._replace(why=f"{change.why}, and training risk rose too")
    if name == "fitting" and validation is None:
        return name, change._replace(why=change.why + BLIND)
    return name, change


def _not_finite(rows: "pandas.DataFrame") -> Change | None:
    """The first training risk that is not finite; of the loop's own loss the second in a row: scalers skip one now and then."""
    status = rows.status if "status" in rows.columns else None
    bad = ~np.isfinite(rows.value) if status is None else ~np.isfinite(rows.value) & status.isin(["ok", "not-finite"])
    found = []
    for name in TRAINING:
        steps, own = rows.step[rows.name == name].to_numpy(), bad[rows.name == name].to_numpy()
        hits = np.flatnonzero(own[1:] & own[:-1]) + 1 if name == "loss" else np.flatnonzero(own)
        if len(hits):
            began, seen = int(steps[hits[0] - 1 if name == "loss" else hits[0]]), int(steps[hits[0]])
            found.append(Change(seen, began, FIRM, f"{name.replace('-', ' ')} was not finite"))
    return min(found, default=None)


def _saturated(rows: "pandas.DataFrame") -> Change | None:
    """The second reading in a row at which most softmaxes have rounded all other classes away."""
    own = rows[(rows.name == SATURATED) & np.isfinite(rows.value)]
    high = (own.value > MOST).to_numpy()
    hits = np.flatnonzero(high[1:] & high[:-1])
    if not len(hits):
        return None
    step, share = own.step.iloc[hits[0] + 1], own.value.iloc[hits[0] + 1]
    return Change(
        int(step), int(own.step.iloc[hits[0]]), FIRM, f"softmax collapse on {share:.0%} of the training examples"
    )
