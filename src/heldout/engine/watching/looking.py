"""A look at the network as it is: groups of readings made on a copy of its weights."""

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from heldout.engine.population import Population, inputs_at
from heldout.engine.subject import Loss, Subject
from heldout.engine.watching.faults import Faults
from heldout.engine.watching.groups import Found, Group, Probe, read_group
from heldout.engine.watching.isolating import undisturbed
from heldout.engine.watching.rows import Row, absent
from heldout.engine.watching.sampled import Sampled
from heldout.engine.watching.snapshots import Source
from heldout.records import Status

CALIBRATION = 16  # examples of the forward pass that is timed


class Stops(Protocol):
    """Decides from the validation examples when training should stop."""

    def update(self, step: int, losses: np.ndarray) -> bool:
        """Take in a checkpoint, and say whether to stop."""
        ...


@dataclass(slots=True, eq=False)
class Looking:
    """What is looked at, and what was seen of the validation examples.

    Attributes:
        source: The network.
        train: Watched training examples.
        validation: Watched validation examples, if any.
        loss: One an example.
        groups: What is read, by name.
        faults: What went wrong.
        stops: When to stop; None for never.
        seed: Of stochastic readings.
        checkpoints: Step -> errors (losses in a regression) of the validation examples.
        should_stop: Whether ``stops`` said so.
    """

    source: Source
    train: Sampled
    validation: Sampled | None
    loss: Loss
    groups: Mapping[str, Group]
    faults: Faults = field(default_factory=Faults)
    stops: Stops | None = None
    seed: int = 0
    checkpoints: dict[int, np.ndarray] = field(default_factory=dict)
    should_stop: bool = False
    _checked: dict[tuple[int, bool], Subject] = field(default_factory=dict)

    def read(self, names: list[str], step: int, elapsed: float, book: Callable[[str, float, bool], None]) -> list[Row]:
        """Read some groups now.

        Args:
            names: Of the groups.
            step: Steps taken.
            elapsed: Seconds since the run began.
            book: Told of each group what it took, and whether it is to be read again.

        Returns:
            Their rows; of a group that failed, rows that say so.
        """
        begun = time.perf_counter()
        rows: list[Row] = []
        with undisturbed(), warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message="this network cannot be vectorised"
            )  # said of stacks; here is one
            probe = self.probe()
            for name in names:
                group, works = self.groups[name], True
                try:
                    found = read_group(group, probe)
                    if found.validation is not None:
                        self._checkpoint(step, found.validation)
                except Exception as error:  # one group's fault must not cost the user the others, nor the training
                    reason, works = self.faults.note(f"the group '{name}'", error), False
                    found = Found([absent(each, Status.FAILED, reason) for each in group.names])
                rows += [Row.of(step, elapsed, reading) for reading in found.readings]
                ended = time.perf_counter()
                book(name, ended - begun, works)
                begun = ended
        return rows

    def probe(self) -> Probe:
        """The network as it is, with what belongs to it."""
        now = self.source.now()
        start: Population | None = self.source.start(now.device)
        if start is not None and all(torch.equal(now.parameters[n], start.parameters[n]) for n in now.parameters):
            start = None  # nothing has moved yet
        return Probe(now, start, self.train, self.validation, self.loss, self.seed, self._checked)

    def seconds_an_example(self) -> float:
        """What a forward pass costs, measured; the network that trains is not run."""
        with undisturbed():
            population = self.source.now()
            few, seconds = self.train.examples, math.inf
            count = min(CALIBRATION, len(few))
            for _ in range(2):  # the first call warms up
                begun = time.perf_counter()
                population(
                    inputs_at(few.x, slice(0, count), per_member=few.x_per_member), per_member=few.x_per_member
                ).cpu()
                seconds = min(seconds, time.perf_counter() - begun)
        return seconds / count

    def waited_for_device(self) -> float:
        """Let the device finish what training gave it, which is not the watch's time; seconds that it took."""
        device = next(self.source.network.parameters()).device
        if device.type != "cuda":
            return 0.0
        begun = time.perf_counter()
        torch.cuda.synchronize(device)
        return time.perf_counter() - begun

    def _checkpoint(self, step: int, losses: np.ndarray) -> None:
        self.checkpoints[step] = losses.astype(np.float32)
        if self.stops is not None and len(losses) > 1:
            self.should_stop = bool(self.stops.update(step, losses)) or self.should_stop
