"""The watch at work: counts steps, looks when it is time, keeps what it saw, and never stops a training."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heldout.engine.watching.keeping import HALF_A_SECOND, Keeper
from heldout.engine.watching.looking import Looking
from heldout.engine.watching.minibatches import Minibatches
from heldout.engine.watching.rows import Row
from heldout.engine.watching.spacing import Account, Spacing

FIRST = "errors"  # the group that is read before the first step and after the last
GUESS = 1.5  # readings cost more than the passes they are made of


@dataclass(slots=True, eq=False)
class Running:
    """One watched run.

    Attributes:
        looking: What is looked at.
        spacing: When.
        open: Opens the place in the store; None without one.
        step: Steps taken.
        rows: What was read so far.
        keeper: The place in the store.
        begun: Time of the first step; None before.
        ended: Time of the last.
        seconds: Of setting up, and of the reading after the last step; neither is part of the share.
    """

    looking: Looking
    spacing: Spacing
    open: Callable[[], Keeper] | None = None
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    keeper: Keeper | None = None
    begun: float | None = None
    ended: float | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"setup": 0.0, "closing": 0.0})
    _losses: Minibatches = field(default_factory=Minibatches)
    _due: float = 0
    _not_before: float = math.inf
    _flush: float = math.inf
    _written: float = 0.0
    _handed: int = -1

    @property
    def elapsed(self) -> float:
        """Seconds from the first step on."""
        return 0.0 if self.begun is None else (self.ended or time.perf_counter()) - self.begun

    @property
    def training(self) -> float:
        """Seconds without those that the watch spent."""
        return max(0.0, self.elapsed - self.spacing.spent)

    @property
    def share(self) -> float:
        """Seconds spent for a second of training."""
        return self.spacing.spent / self.training if self.training > 0 else 0.0

    def begin(self, step: int, look: bool) -> None:
        """Before the first step: time a forward pass, read losses and errors once, open the store.

        Args:
            step: Steps taken before watching.
            look: Whether the network still is as it was after those.
        """
        began = time.perf_counter()
        self.step = self.spacing.start = step
        if self.open is not None:
            self.keeper = self.open()
        accounts = self.spacing.accounts
        try:
            each = self.looking.seconds_an_example()
            for name, account in accounts.items():
                account.guess = GUESS * each * self.looking.groups[name].passes
                account.due = step if look and self.spacing.scheduled(step) else self.spacing.after(step, 1)
            if FIRST in accounts and accounts[FIRST].due <= step:
                self._hand_over(self._read([FIRST]))
                accounts[FIRST].spent = 0.0
        except Exception as error:
            self._give_up(error)
        self.begun = time.perf_counter()
        self.seconds["setup"] += self.begun - began
        self._plan(self.begun)

    def take(self, loss: Any, at: int | None) -> None:
        """After a step.

        Args:
            loss: The minibatch's, or None.
            at: Steps taken; one more than before unless given.
        """
        now = time.perf_counter()
        before = self.spacing.spent
        idle = 0.0
        self.step = self.step + 1 if at is None else at
        try:
            if loss is not None:
                self._losses.add(self.step, loss)
            if self.step >= self._due or now >= self._not_before or now >= self._flush or self._losses.full:
                idle = self.looking.waited_for_device()
                self._work()
        except Exception as error:  # a fault of the watch is no reason to lose a training
            self._give_up(error)
        self.spacing.other += time.perf_counter() - now - idle - (self.spacing.spent - before)

    def note(self, loss: Any) -> None:
        """A loss of steps that were already counted.

        Args:
            loss: Of the loop.
        """
        self._losses.add(self.step, loss)

    def finish(self, outcome: str, more: Callable[[], Mapping[str, Any]]) -> None:
        """After the last step: read losses and errors once more, write what is left.

        Args:
            outcome: How training ended.
            more: What else is said of the end; asked when everything was read.
        """
        if self.ended is not None or self.begun is None:
            return
        self.ended = time.perf_counter()
        account = self.spacing.accounts.get(FIRST)
        try:
            rows = self._losses.rows(self.elapsed, last=True)
            if account is not None and account.on and self._handed < self.step:
                spent = account.spent
                rows += self._read([FIRST])
                account.spent = spent
            self._hand_over(rows)
        except Exception as error:
            self._give_up(error)
        self.seconds["closing"] = time.perf_counter() - self.ended
        if self.keeper is not None:
            self.keeper.finish({"outcome": outcome, "step": self.step, "seconds": self.elapsed, **more()})
            self._hear_the_store()

    def _work(self) -> None:
        if self.keeper is not None:
            self.spacing.other += self.keeper.seconds - self._written
            self._written = self.keeper.seconds
            self._hear_the_store()
        rows = self._losses.rows(self.elapsed)
        for name in self.spacing.due(self.step):
            if self.spacing.wait(name, self.training) <= 0:
                rows += self._read([name])
        self._hand_over(rows)
        self._plan(time.perf_counter())

    def _plan(self, now: float) -> None:
        """When to look again: at a step; or, where a group is due and the budget does not allow it yet, at a time."""
        waiting = set(self.spacing.due(self.step))
        others = (a.due for name, a in self.spacing.accounts.items() if a.on and name not in waiting)
        self._due = min(others, default=math.inf)
        waits = (self.spacing.wait(name, self.training) for name in waiting)
        self._not_before = now + min(waits, default=math.inf)
        self._flush = math.inf if self.keeper is None else now + HALF_A_SECOND

    def _read(self, names: list[str]) -> list[Row]:
        def book(name: str, seconds: float, works: bool) -> None:
            self.spacing.ran(name, self.step, seconds)
            self.spacing.accounts[name].on = works

        return self.looking.read(names, self.step, self.elapsed, book)

    def _hand_over(self, rows: list[Row]) -> None:
        if rows:
            self._handed = self.step
            self.rows += rows
            if self.keeper is not None:
                self.keeper.add(rows)

    def _give_up(self, error: Exception) -> None:
        self.looking.faults.note("watching", error)
        for account in self.spacing.accounts.values():
            account.on = False
        self._due = self._not_before = math.inf

    def _hear_the_store(self) -> None:
        if self.keeper is not None and self.keeper.fault:
            self.looking.faults.say(self.keeper.fault)


def accounts_of(looking: Looking) -> dict[str, Account]:
    """An account for every group.

    Args:
        looking: What is looked at.

    Returns:
        By name.
    """
    return {name: Account(group.share, group.stride) for name, group in looking.groups.items()}
