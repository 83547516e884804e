r"""Phases of a training run, named while it goes on.

Risks are errors where they were read, losses otherwise; f is the share of its first value that a risk has lost.

- **fitting**: training risk has fallen (f > 0.05), early: what it brings is not known yet.
- **memorising**: half of the training risk is gone, and validation risk has not lost even a quarter of that share.
- **generalising**: both fall; validation has lost at least a quarter of the share that training has.
- **grokking**: validation falls so after memorising, beginning a quarter later than training reached its floor, or more.
- **overfitting**: validation has lost more than a fiftieth of its gain since its lowest, while training keeps its own.
- **collapsed**: loss not finite, training risk back near its first value, or most softmaxes saturated before anything generalised.
- **undecided**: none of these can be told, or both risks rise.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from heldout.engine.watching.phases_evidence import BAR, Change
from heldout.engine.watching.phases_sequence import changes_of
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas

NAMES = ("fitting", "memorising", "generalising", "grokking", "overfitting", "collapsed", "undecided")
#: Log odds that a change seen at z standard errors is one, from series of known truth, half of them without (docs/phases.md).
ODDS = (-1.3, 0.65)
MOST = 0.95  # beyond what it stands for, alarms were not right more often (docs/phases.md)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of one member's training.

    Attributes:
        name: One of ``NAMES``.
        begin: Step at which it is estimated to have begun.
        end: At which the next one did; None for the last.
        confidence: Probability that the change was one when it was announced; 0 where nothing is claimed.
        detected: Step of the row at which it was announced: from the rows up to it and no other.
        why: What was seen, in words.
        member: Of the population.
    """

    name: str
    begin: int
    end: int | None
    confidence: float
    detected: int
    why: str
    member: int = 0


def phases(table: "pandas.DataFrame", *, bar: float = BAR) -> tuple[Phase, ...]:
    """The phases of a run from its readings, each announced from the rows up to it alone.

    More rows never take an announcement back: they add phases and set the end of the last; only an ``undecided`` beginning gives
    way to the estimated begin of what follows. It cannot see what the validation examples do not show, a change that is
    undone between two readings, and, of loss alone, a growing loss of few examples among errors that stay: errors are preferred.

    Args:
        table: Readings: step, name, value, and where there are any member, low, high, standard_error, status. Read are
            train-error, train-loss or loss; validation-error or validation-loss; softmax-collapse.
        bar: Standard errors at which a change is announced. Lower is earlier and more often wrong.

    Returns:
        In the order of members and steps.

    Raises:
        Refusal: If a column is missing.

    Example:
        >>> import pandas
        >>> train, unseen = [0.9, 0.7, 0.5, 0.3, 0.1, 0.0, 0.0], [0.9, 0.91, 0.9, 0.89, 0.9, 0.91, 0.9]
        >>> rows = {"step": [*range(7)] * 2, "name": ["train-error"] * 7 + ["validation-error"] * 7, "value": train + unseen}
        >>> [(phase.name, phase.begin, phase.end) for phase in phases(pandas.DataFrame(rows))]
        [('fitting', 0, 2), ('memorising', 2, None)]
    """
    missing = [column for column in ("step", "name", "value") if column not in table.columns]
    if missing:
        raise Refusal(
            given=f"the table has no column {', '.join(missing)}",
            expected="one row a step and reading: step, name, value",
            do="pass the readings of a watched run, or of 'heldout watch'",
        )
    if not len(table):
        return ()
    members = table["member"] if "member" in table.columns else np.zeros(len(table), dtype=np.int64)
    ordered = table.assign(member=members, value=table.value.astype(float)).sort_values("step", kind="stable")
    return tuple(phase for _, rows in ordered.groupby("member") for phase in _of_one(rows, bar))


def _of_one(rows: "pandas.DataFrame", bar: float) -> list[Phase]:
    start, member = int(rows.step.iloc[0]), int(rows.member.iloc[0])
    changes = list(changes_of(rows, bar))
    if not changes or changes[0][1].begin > start:
        nothing = (
            "no change of the training risk was seen so far" if not changes else "the training risk had not changed"
        )
        changes.insert(0, ("undecided", Change(start, start, -math.inf, nothing)))
    found: list[Phase] = []
    for place, (name, change) in enumerate(changes):
        end = changes[place + 1][1].begin if place + 1 < len(changes) else None
        sure = 0.0 if name == "undecided" else _confidence(change.z)
        found.append(Phase(name, change.begin, end, sure, change.detected, change.why, member))
    return found


def _confidence(z: float) -> float:
    if z == math.inf:
        return 1.0  # counted, not estimated
    return min(MOST, 1 / (1 + math.exp(-ODDS[0] - ODDS[1] * z)))
