"""Who asks for evidence gets it here: lazily, once, with its cost counted."""

import time
from typing import Any

import torch

from heldout.catalog import Unit, units
from heldout.engine.subject import Subject
from heldout.engine.subject.losses import NAMED
from heldout.engine.training import Recipe
from heldout.records import NotApplicable, Passes

ROOTS = ("subject", "seed", "recipe")


class Evidence:
    """The evidence of one subject: computed at most once, only when asked for, with passes counted where networks are called.

    Args:
        subject: What is under study.
        seed: From which every random stream derives.
        recipe: How networks are trained for the evidence that trains some; a short one by Adam unless given.
        spent_before: By an earlier process on the same audit.
    """

    def __init__(
        self, subject: Subject, *, seed: int = 0, recipe: Recipe | None = None, spent_before: Passes | None = None
    ) -> None:
        self.subject = subject
        recipe = recipe or default_recipe(subject)
        self._values: dict[str, Any] = {"subject": subject, "seed": seed, "recipe": recipe}
        self._absent: dict[str, NotApplicable] = {}
        self._costs: dict[str, tuple[Passes, float]] = {}
        self._spent_before = spent_before or Passes()
        self._units = {unit.function.__name__: unit for unit in units("evidence").values()}

    def __getitem__(self, name: str) -> Any:
        """The evidence of this name.

        Args:
            name: As in the parameters of measures, with underscores.

        Returns:
            Tensors with a leading axis M, or plain values that hold for all members.

        Raises:
            NotApplicable: If this subject cannot have it; asked again, it says the same at once.
        """
        if name in self._absent:
            raise self._absent[name]
        if name not in self._values:
            try:
                demand(self._units[name], self.subject)
                arguments = {need: self[need] for need in self._units[name].needs}
                self._values[name] = self._compute(self._units[name], arguments)
            except NotApplicable as reason:
                self._absent[name] = reason
                raise
        return self._values[name]

    def _compute(self, unit: Unit, arguments: dict[str, Any]) -> Any:
        tally = self.subject.population.tally
        forward, backward, start = tally.forward, tally.backward, time.perf_counter()
        with torch.inference_mode(False), torch.no_grad():  # derivatives are taken, whatever mode the caller is in
            value = unit.function(**arguments)
        sweep = len(self.subject.train) * len(self.subject.population)
        passes = Passes((tally.forward - forward) / sweep, (tally.backward - backward) / sweep)
        self._costs[unit.function.__name__] = (passes, time.perf_counter() - start)
        return value

    @property
    def spent(self) -> Passes:
        """All passes so far."""
        return sum((passes for passes, _ in self._costs.values()), self._spent_before)

    def alone(self, needs: tuple[str, ...]) -> tuple[Passes, float]:
        """What these needs cost on their own, everything below them included.

        Args:
            needs: Evidence names that were computed.

        Returns:
            Passes and seconds.
        """
        costs = [self._costs[name] for name in closure(needs) if name in self._costs]
        return sum((passes for passes, _ in costs), Passes()), sum(seconds for _, seconds in costs)


def default_recipe(subject: Subject) -> Recipe:
    """How networks are trained where the user does not say.

    Args:
        subject: Whose loss it is.

    Returns:
        Adam at 0.001 on batches of 64, until the training loss is 0.01, at most 3,000 steps.
    """
    loss = subject.loss.name if subject.loss.name in NAMED else subject.loss.per_example
    return Recipe(optimizer="adam", lr=1e-3, batch_size=min(64, len(subject.train)), steps=3000, loss=loss, stop="loss")


def demand(unit: Unit, subject: Subject) -> None:
    """Raise what the evidence's declaration says against this subject, if anything.

    Args:
        unit: The evidence.
        subject: What is under study.
    """
    requires = unit.fields["requires"]
    if requires is not None:
        requires(subject)


def closure(needs: tuple[str, ...]) -> tuple[str, ...]:
    """Evidence names together with all evidence they rest on.

    Args:
        needs: Evidence names.

    Returns:
        Each once, what is needed first coming first; the roots are left out.
    """
    declared = {unit.function.__name__: unit for unit in units("evidence").values()}
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in ROOTS and name not in order:
            for need in declared[name].needs:
                visit(need)
            order[name] = None

    for need in needs:
        visit(need)
    return tuple(order)


def sees_test_data(needs: tuple[str, ...]) -> bool:
    """Whether these needs rest on test data: then they have no part in what is said from the training data alone.

    Args:
        needs: Evidence names.

    Returns:
        True if so.
    """
    return any(need.startswith(("test_", "held_out")) for need in closure(needs))


def thorough(needs: tuple[str, ...]) -> bool:
    """Whether these needs rest on anything that only a thorough audit computes.

    Args:
        needs: Evidence names.

    Returns:
        True if so.
    """
    declared = {unit.function.__name__: unit for unit in units("evidence").values()}
    return any(declared[name].fields["thorough"] for name in closure(needs))


def expected_passes(needs: tuple[str, ...]) -> Passes:
    """What these needs are expected to cost, from what their declarations say.

    Args:
        needs: Evidence names.

    Returns:
        Passes over the training set.
    """
    declared = {unit.function.__name__: unit for unit in units("evidence").values()}
    return sum((declared[name].fields["passes"] for name in closure(needs)), Passes())
