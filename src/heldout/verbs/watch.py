"""``heldout.Watch``: what a network is doing while it trains."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from torch import nn

from heldout.engine.store import Store
from heldout.engine.subject import Subject
from heldout.engine.watching.isolating import undisturbed
from heldout.engine.watching.keeping import Keeper
from heldout.engine.watching.looking import Looking, Stops
from heldout.engine.watching.resuming import rows_before, unfinished
from heldout.engine.watching.rows import Row
from heldout.engine.watching.running import Running, accounts_of
from heldout.engine.watching.spacing import Spacing
from heldout.engine.watching.stopping import Stopping
from heldout.faces.report import write_watch_report
from heldout.verbs.watch_callbacks import FINISHED, lightning_callback, trainer_callback
from heldout.verbs.watch_groups import chosen_groups
from heldout.verbs.watch_inputs import check_settings, watched
from heldout.verbs.watch_words import Words, about, ending, record_of, summary, words_on

if TYPE_CHECKING:
    import pandas

GRACE = 0.2  # seconds
EXAMPLES = 512
VALIDATION = 2048


class Watch:
    """Watch a network while it trains: a few readings along the way, within a budget, without touching the run.

    The network that trains is never run and nothing of it is changed: readings are made on a copy of its weights, in evaluation mode,
    with every global random state put back. What fails is said once and switched off; training goes on. Before the first step and
    after the last, losses and errors are read outside of the budget; ``watch.overhead`` says what everything took.

    Args:
        network: The module that trains, or a Subject of one network.
        train: Training data in any form that a Subject takes, or a sequence of examples; of a Subject its own.
        validation: Data it is not trained on, likewise; optional.
        every: When to look: ``"log"``, a number of steps, or a list of steps; later where the budget does not allow it.
        budget: Seconds that readings may take for a second of training; ``math.inf`` for no limit.
        store: Directory or URL in which the run is kept as it grows; optional.
        name: Of the run; that of a run in the store that was killed continues it, and ``watch.table`` has what that one had read.
        loss: As of a Subject.
        steps: Planned; for the record.
        record: Groups of readings, and measures of the catalog to be read beside them; all groups unless given.
        examples: Training examples that are watched at most; fewer of slow networks.
        validation_examples: Validation examples that are watched at most.
        stopping: Decides from the validation examples when ``should_stop`` is true: anything with ``update(step, losses)``.
        seed: Of stochastic readings and of the choice of examples.
        grace: Seconds that readings may take beyond the budget, so that short trainings see something.

    Raises:
        Refusal: If what is given cannot be watched.

    Example:
        >>> import torch
        >>> x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
        >>> network, y = nn.Linear(3, 2), (x[:, 0] > 0).long()
        >>> with Watch(network, (x, y), budget=float("inf"), record=("errors",)) as watch:
        ...     for _ in range(3):
        ...         watch.step(torch.tensor(0.5))
        >>> sorted(set(watch.table[watch.table.name == "train-loss"].step)), watch.should_stop
        ([0, 1, 2, 3], False)
    """

    def __init__(
        self,
        network: nn.Module | Subject,
        train: Any = None,
        validation: Any = None,
        *,
        every: str | int | Sequence[int] = "log",
        budget: float = 0.05,
        store: str | None = None,
        name: str = "",
        loss: Any = "cross-entropy",
        steps: int | None = None,
        record: Sequence[str] | None = None,
        examples: int = EXAMPLES,
        validation_examples: int = VALIDATION,
        stopping: Stops | None = None,
        seed: int = 0,
        grace: float = GRACE,
    ) -> None:
        began = time.perf_counter()
        with undisturbed():  # packages that are imported on the way draw from Python's random state
            check_settings(every, budget, grace, examples, validation_examples, steps, seed)
            parts = watched(network, train, validation, loss, examples, validation_examples, seed)
            held = 0 if parts.validation is None else len(parts.validation.examples)
            groups = chosen_groups(record, len(parts.train.examples), held)
            stops = stopping or (Stopping() if held else None)
        looking = Looking(*parts, groups, stops=stops, seed=seed)
        spacing = Spacing(float(budget), float(grace), accounts_of(looking), every)
        self._running = Running(looking, spacing)
        self._before: list[Row] = []
        self._said, self._words_at = Words(), -1
        self._store = None if store is None else Store(store)
        self.name = name or type(parts.source.network).__name__
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._plan: dict[str, Any] = {"name": self.name, "steps": steps, "started": started, "continues": None}
        if self._store is not None:
            self._store.check_writable()
            self._plan["continues"] = unfinished(self._store, name) or None
            self._running.open = lambda: Keeper(str(store), self._about())
        self._running.seconds["setup"] = time.perf_counter() - began

    def begin(self, step: int = 0) -> None:
        """Read losses and errors before the first step, as entering the context does.

        Args:
            step: Steps taken before, of a training that goes on.
        """
        self._begin(step, look=True)

    def step(self, loss: Any = None, *, at: int | None = None) -> None:
        """Say that the optimizer has taken a step.

        Args:
            loss: Of the minibatch: a number or a tensor, which is not read until there is a reason to wait for it.
            at: Steps taken in all; one more than before unless given.
        """
        if self._running.begun is None:
            self._begin(0 if at is None else max(0, at - 1), look=False)  # the weights have moved already
        self._running.take(loss, at)

    def note(self, loss: float) -> None:
        """Tell of a loss of steps that were already counted."""
        self._running.note(loss)

    def finish(self, outcome: str = FINISHED) -> None:
        """Read losses and errors once more, and write what is left and how training ended."""
        self._running.finish(outcome, self._ending)

    def __enter__(self) -> Self:
        """Begin."""
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish; an error of the loop is the run's outcome."""
        self.finish(FINISHED if kind is None else kind.__name__)

    @property
    def steps_taken(self) -> int:
        """Steps so far."""
        return self._running.step

    @property
    def run(self) -> str:
        """Its name in the store; empty without one, or before it began."""
        return "" if self._running.keeper is None else self._running.keeper.run

    @property
    def should_stop(self) -> bool:
        """Whether the validation examples say, beyond doubt, that training has nothing to gain: see ``stopping``."""
        return self._running.looking.should_stop

    @property
    def faults(self) -> tuple[str, ...]:
        """What went wrong, a sentence each."""
        return tuple(self._running.looking.faults.said)

    @property
    def overhead(self) -> dict[str, float]:
        """Seconds of setting up, of readings during training, of closing; of training itself; and the share that counts."""
        own = self._running
        return {**own.seconds, "spent": own.spacing.spent, "training": own.training, "share": own.share}

    @property
    def table(self) -> "pandas.DataFrame":
        """All readings: one row a step and name."""
        import pandas

        return pandas.DataFrame([*self._before, *self._running.rows], columns=list(Row._fields))

    @property
    def validation(self) -> np.ndarray | None:
        """Errors of the watched validation examples (losses in a regression) at each reading, ``[checkpoints, examples]``."""
        seen = self._running.looking.checkpoints
        return np.stack(list(seen.values())) if seen else None

    @property
    def phases(self) -> tuple[Any, ...]:
        """The phases that the run has gone through."""
        return self._words().phases

    @property
    def phase(self) -> Any:
        """The phase that the run is in, with its confidence and why; None where nothing can be said."""
        return self.phases[-1] if self.phases else None

    @property
    def advice(self) -> Any:
        """Which checkpoint to ship and what it is worth, and whether more training would pay; None where nothing can be said."""
        return self._words().advice

    def for_lightning(self, *, stop: bool = False) -> Any:
        """A Lightning callback for ``Trainer(callbacks=[...])``; with ``stop`` the fit ends where ``should_stop`` says so."""
        return lightning_callback(self, stop)

    def for_trainer(self, *, stop: bool = False) -> Any:
        """A callback for the Trainer of transformers; with ``stop`` training ends where ``should_stop`` says so."""
        return trainer_callback(self, stop)

    def to_dict(self) -> dict[str, Any]:
        """The run in plain values, for JSON."""
        return record_of(self._about(), [*self._before, *self._running.rows], self._ending())

    def report(self, path: str) -> str:
        """Write one HTML page with everything in it to a path, which is given back."""
        with undisturbed():
            return write_watch_report(self.to_dict(), path)

    def __str__(self) -> str:
        """The state of the run in a few lines."""
        return summary(self.to_dict())

    def _begin(self, step: int, look: bool) -> None:
        if self._running.begun is None:
            if self._store is not None and self._plan["continues"]:
                self._before = rows_before(self._store, self._plan["continues"], step)
            with undisturbed():
                self._running.begin(step, look)

    def _words(self) -> Words:
        rows = len(self._running.rows)
        if self._words_at != rows:
            begun = time.perf_counter()
            with undisturbed():
                self._said = words_on(self.table, self.validation, self._running.looking.faults)
            self._words_at = rows
            if self._running.ended is None:
                self._running.spacing.other += time.perf_counter() - begun
        return self._said

    def _about(self) -> dict[str, Any]:
        return {**about(self._running), **self._plan}

    def _ending(self) -> dict[str, Any]:
        return ending(self._running, self._words())
