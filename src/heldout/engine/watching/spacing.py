"""When each group of readings is due, and whether the budget allows it."""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from heldout.records import Refusal

PER_OCTAVE = 8  # points of the logarithmic schedule between a step and its double
AHEAD = 2  # probes of a group that others may not spend


@dataclass(slots=True)
class Account:
    """What is known of one group's cost.

    Attributes:
        share: Of the budget that no other group may take.
        stride: Points of the schedule from one of its readings to the next.
        guess: Seconds that its first reading is expected to cost.
        spent: Seconds so far.
        cost: Running estimate of a reading's seconds; None before the first.
        due: Step from which it is due.
        on: Whether it is still read.
    """

    share: float
    stride: int
    guess: float = 0.0
    spent: float = 0.0
    cost: float | None = None
    due: float = 0
    on: bool = True

    @property
    def expected(self) -> float:
        """Seconds that its next reading is expected to cost."""
        return self.guess if self.cost is None else self.cost


@dataclass(slots=True)
class Spacing:
    """A schedule under a budget.

    A group is read at the points of the schedule; where the budget does not allow it then, as soon as it does. What was spent, this
    reading's expected cost included, never exceeds ``grace + budget * training``, up to the error of that expectation, which later
    readings wait for. Of the budget every group has a share that the others leave it, up to two of its readings.

    Attributes:
        budget: Seconds that may be spent for a second of training without the watch.
        grace: Seconds that may be spent beyond it.
        accounts: Of the groups, by name.
        every: ``"log"``, a number of steps, or the steps themselves.
        start: Steps taken before watching.
        other: Seconds spent on anything but readings.
    """

    budget: float
    grace: float
    accounts: dict[str, Account]
    every: str | int | Sequence[int] = "log"
    start: int = 0
    other: float = 0.0
    points: list[float] = field(default_factory=list)

    @property
    def spent(self) -> float:
        """Seconds in all."""
        return self.other + sum(account.spent for account in self.accounts.values())

    def due(self, step: int) -> list[str]:
        """The groups whose time has come, cheap ones first.

        Args:
            step: Steps taken.

        Returns:
            Their names.
        """
        ready = [name for name, account in self.accounts.items() if account.on and step >= account.due]
        return sorted(ready, key=lambda name: self.accounts[name].expected)

    def scheduled(self, step: int) -> bool:
        """Whether the schedule has a point here, or begins here.

        Args:
            step: Steps taken before watching.

        Returns:
            True for the logarithmic schedule.
        """
        if isinstance(self.every, str):
            return True
        return step % self.every == 0 if isinstance(self.every, int) else step in self.every

    def wait(self, name: str, training: float) -> float:
        """Seconds of training until a group may be read.

        Args:
            name: Of the group.
            training: Seconds of training so far, without what the watch spent.

        Returns:
            0 where it may be now.
        """
        if math.isinf(self.budget):
            return 0.0
        own = self.accounts[name]
        whole = self.grace + self.budget * training
        shares = sum(account.share for account in self.accounts.values() if account.on)
        kept = sum(
            min(max(0.0, other.share / shares * whole - other.spent), AHEAD * other.expected)
            for key, other in self.accounts.items()
            if key != name and other.on and other.due < math.inf
        )
        return max(0.0, self.spent + own.expected + kept - whole) / self.budget

    def ran(self, name: str, step: int, seconds: float) -> None:
        """Book a reading.

        Args:
            name: Of the group.
            step: Steps taken.
            seconds: That it took.
        """
        account = self.accounts[name]
        account.spent += seconds
        account.cost = seconds if account.cost is None else 0.5 * (account.cost + seconds)
        account.due = self.after(step, account.stride)

    def costs(self) -> dict[str, float]:
        """Seconds that each group took."""
        return {name: account.spent for name, account in self.accounts.items()}

    def after(self, step: int, stride: int) -> float:
        """The point of the schedule some places after a step.

        Args:
            step: Steps taken.
            stride: Places.

        Returns:
            A step; infinite where the schedule has ended.

        Example:
            >>> log = Spacing(0.1, 0.0, {})
            >>> [log.after(step, 1) for step in (0, 1, 10, 11, 100)], Spacing(0.1, 0.0, {}, every=[3, 9]).after(3, 1)
            ([1, 2, 11, 12, 101], 9)
        """
        if self.every == "log":
            while not self.points or len(self.points) <= bisect.bisect_right(self.points, step) + stride:
                last = self.points[-1] if self.points else -1
                self.points.append(max(last + 1, math.ceil(last * 2 ** (1 / PER_OCTAVE))))
        elif isinstance(self.every, int):
            return self.every * (step // self.every + stride)
        elif not self.points:
            self.points = sorted(step for step in self.every if not isinstance(step, str))
        place = bisect.bisect_right(self.points, step) + stride - 1
        return self.points[place] if place < len(self.points) else math.inf


def check_every(every: object) -> None:
    """Refuse a schedule that is none.

    Args:
        every: What the user said.

    Raises:
        Refusal: If it is neither ``"log"``, a positive number of steps, nor a list of steps.
    """
    number = isinstance(every, int) and not isinstance(every, bool) and every > 0
    steps = (
        isinstance(every, (list, tuple, range)) and len(every) > 0 and all(isinstance(s, int) and s >= 0 for s in every)
    )
    if not (every == "log" or number or steps):
        raise Refusal(
            given=f"every was {every!r}", expected="'log', a number of steps, or a list of steps", do="pass every='log'"
        )
