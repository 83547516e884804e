"""What is kept of chains: a few numbers of every draw, and the losses of all examples for as many draws as fit."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heldout.engine.sampling.convergence import Floats
from heldout.engine.sampling.field import Field
from heldout.engine.sampling.state import State
from heldout.engine.sampling.target import Target

KEPT_BYTES = 256 * 2**20  # of every example's losses, both data sets together


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """The draws of one group's living chains.

    Attributes:
        mean_losses: Of all examples, ``[K, D]``.
        distances: Squared distance from the centre, ``[K, D]``.
        virials: ``(w - w*) grad U`` of each parameter tensor, ``[K, D, L]``.
        losses: Of every example, for evenly spaced draws, ``[K, D', N]``.
        test_losses: Of every test example, ``[K, D', N']``; None without test data.
        alive: Which of the chains these are.
    """

    mean_losses: Floats
    distances: Floats
    virials: Floats
    losses: Floats
    test_losses: Floats | None
    alive: np.ndarray

    def after(self, first: int) -> "Recorded":
        """The draws from one on.

        Args:
            first: Its number.

        Returns:
            Fewer draws.
        """
        stride = self.mean_losses.shape[1] / max(1, self.losses.shape[1])
        few = slice(int(np.ceil(first / stride)), None)
        tests = None if self.test_losses is None else self.test_losses[:, few]
        late = slice(first, None)
        return Recorded(
            self.mean_losses[:, late],
            self.distances[:, late],
            self.virials[:, late],
            self.losses[:, few],
            tests,
            self.alive,
        )


@dataclass(slots=True)
class Recorder:
    """Draws of a stack of groups as they come.

    Args:
        field: The training examples.
        test: The test examples; None without.
        chains: K.
    """

    field: Field
    test: Field | None
    chains: int
    stride: int = 1
    count: int = 0
    _scalars: dict[int, list[np.ndarray]] = dataclasses.field(default_factory=dict)
    _losses: dict[int, list[tuple[np.ndarray, np.ndarray | None]]] = dataclasses.field(default_factory=dict)

    def add(self, groups: Tensor, target: Target, state: State) -> None:
        """Note the chains of some groups.

        Args:
            groups: Their numbers in the whole.
            target: Of these groups.
            state: Of their chains; its energy is of all examples.
        """
        members = target.of_chains(target.members)
        away = target.displacement(state.position)
        products = (away * target.position(state.energy.gradient)).double()  # S^-1 S g is the gradient by the weights
        virials = torch.stack([products[:, place].sum(1) for _, place, _ in self.field.layout], dim=1)
        scalars = torch.cat(
            [state.energy.losses.mean(1)[:, None], away.double().square().sum(1)[:, None], virials], dim=1
        )
        keep = self.count % self.stride == 0
        losses = state.energy.losses.float().cpu().numpy() if keep else None
        tests = (
            self.test.losses(self.field.centres[members] + away, members).float().cpu().numpy()
            if keep and self.test
            else None
        )
        rows = scalars.cpu().numpy()
        for place, group in enumerate(groups.tolist()):
            own = slice(place * self.chains, (place + 1) * self.chains)
            self._scalars.setdefault(group, []).append(rows[own])
            if losses is not None:
                pair = (losses[own], None if tests is None else tests[own])
                self._losses.setdefault(group, []).append(pair)
        self.count += 1
        examples = self.field.examples + (self.test.examples if self.test else 0)
        held = sum(map(len, self._losses.values())) * self.chains * examples * 4
        if held > KEPT_BYTES:  # every other one goes, so that what is kept stays evenly spaced
            self._losses = {group: kept[::2] for group, kept in self._losses.items()}
            self.stride *= 2

    def forget(self, groups: list[int]) -> None:
        """Let go of groups that have ended.

        Args:
            groups: Their numbers.
        """
        for group in groups:
            del self._scalars[group], self._losses[group]

    def packed(self, group: int) -> dict[str, np.ndarray]:
        """What is kept of a group, as arrays.

        Args:
            group: Its number.

        Returns:
            ``scalars [D, K, S]``, ``losses [D', K, N]`` and, with test data, ``test_losses [D', K, N']``.
        """
        found = {
            "scalars": np.stack(self._scalars[group]),
            "losses": np.stack([each for each, _ in self._losses[group]]),
        }
        tests = [each for _, each in self._losses[group] if each is not None]
        return {**found, "test_losses": np.stack(tests)} if tests else found

    def unpack(self, group: int, kept: dict[str, np.ndarray]) -> None:
        """Take up what :meth:`packed` gave.

        Args:
            group: Its number.
            kept: The arrays.
        """
        self._scalars[group] = list(kept["scalars"])
        tests = kept.get("test_losses", [None] * len(kept["losses"]))
        self._losses[group] = list(zip(kept["losses"], tests, strict=True))

    def of(self, group: int, alive: np.ndarray) -> Recorded:
        """The draws of one group.

        Args:
            group: Its number.
            alive: Which of its chains live, ``[K]``.

        Returns:
            Their draws.
        """
        scalars = np.stack(self._scalars[group], axis=1)[alive]
        losses = np.stack([each for each, _ in self._losses[group]], axis=1)[alive].astype(np.float64)
        tests = None
        if self.test is not None:
            kept = [each for _, each in self._losses[group] if each is not None]
            tests = np.stack(kept, axis=1)[alive].astype(np.float64)
        return Recorded(scalars[:, :, 0], scalars[:, :, 1], scalars[:, :, 2:], losses, tests, alive)
