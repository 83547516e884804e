"""A trajectory: how a population came to be what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heldout.engine.population import Population
from heldout.engine.subject import Examples, Subject
from heldout.engine.subject.history import History
from heldout.engine.training import Plan, Recipe
from heldout.engine.training.batches import Batches
from heldout.engine.trajectories.recording import history_of
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas

COLUMNS = ("member", "step", "name", "value", "low", "high", "standard_error", "status", "reason")


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """A training with its readings.

    Attributes:
        initial: The population before the first step.
        final: The trained population, members in their order.
        step: At which each member stopped.
        reason: Why: ``"steps"``, ``"loss"``, ``"fit"``, ``"plateau"``, or ``"not finite"``: stopped and marked, the others
            went on.
        rows: One a member, recorded step and reading: member, step, name, value, low, high, standard_error, status, reason.
        weights: Recorded step -> population, where weights were recorded.
        train: The training set as the members saw it, with their label noise.
        recipe: How they were trained.
        seed: Of everything random.
        plan: How it was carried out; with the same seed it gives the same bits.
        seconds: Wall-clock time.
        run: Its name in the store it was written to; empty if it was not.
    """

    initial: Population
    final: Population
    step: tuple[int, ...]
    reason: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    weights: Mapping[int, Population]
    train: Examples
    recipe: Recipe
    seed: int
    plan: Plan
    seconds: float
    run: str = ""

    def __len__(self) -> int:
        """The number of members M."""
        return len(self.final)

    @property
    def history(self) -> History | None:
        """Training losses and gradient noise along the steps; None if ``train-loss`` was not recorded."""
        epoch = Batches.of(self.recipe, len(self.train), self.seed).per_epoch
        return history_of(self.rows, list(range(len(self))), epoch)

    def subject(self, test: Any = None, **settings: Any) -> Subject:
        """The trained population as the subject of an audit, with its initial weights and what was recorded of its training.

        Args:
            test: Data the networks have not seen; optional.
            **settings: As of :class:`Subject`; what is named here takes precedence.

        Returns:
            The subject.

        Example:
            >>> import torch
            >>> from heldout.engine.trajectories import train
            >>> data = torch.eye(2).repeat(10, 1), torch.tensor([0, 1]).repeat(10)
            >>> trajectory = train(torch.nn.Linear(2, 2), data, Recipe(lr=1.0, batch_size=20, steps=20))
            >>> trajectory.subject().history.steps.tolist()
            [0, 1, 2, 3, 4, 6, 8, 12, 16, 20]
        """
        known = {"loss": self.recipe.loss, "initial": self.initial, "history": self.history, **settings}
        return Subject(self.final, self.train, test, **known)

    def to_pandas(self) -> "pandas.DataFrame":
        """The readings: one row a member, recorded step and name."""
        import pandas

        return pandas.DataFrame(list(self.rows), columns=list(COLUMNS))

    def __getitem__(self, name: str) -> "pandas.DataFrame":
        """One reading along the training.

        Args:
            name: Such as ``"train-loss"``.

        Returns:
            Recorded steps down, members across.

        Raises:
            Refusal: If it was not recorded.
        """
        table = self.to_pandas()
        if name not in set(table.name):
            raise Refusal(
                given=f"reading '{name}' was not recorded",
                expected=f"one of {', '.join(sorted(set(table.name))) or 'none: nothing was recorded'}",
                do=f"train with record=('{name}',)",
            )
        return table[table.name == name].pivot(index="step", columns="member", values="value")
