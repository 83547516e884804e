"""A trajectory: how a population came to be what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heldout.engine.population import Population
from heldout.engine.subject import Examples
from heldout.engine.training import Plan, Recipe
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
