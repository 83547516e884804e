"""When a member's training ends."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.engine.training.recipe import Recipe


@dataclass(slots=True)
class Stopping:
    """The checks of all members; those that arrived are remembered with the step and the reason.

    Attributes:
        recipe: Says what ends a training.
        step: At which each member stopped, ``[M]``; -1 while it goes on.
        reason: ``"steps"``, ``"not finite"``, or the criteria joined by a plus.
    """

    recipe: Recipe
    step: Tensor
    reason: list[str]
    _best: Tensor
    _since: Tensor

    @classmethod
    def of(cls, recipe: Recipe, members: int) -> "Stopping":
        """Nobody has stopped.

        Args:
            recipe: Says what ends a training.
            members: M.

        Returns:
            The checks.
        """
        start = torch.full((members,), torch.inf, dtype=torch.float64)
        counts = torch.full((members,), -1, dtype=torch.int64)
        return cls(recipe, counts, ["steps"] * members, start, torch.zeros_like(counts))

    @property
    def active(self) -> list[int]:
        """Members that go on."""
        return torch.nonzero(self.step < 0).flatten().tolist()

    @property
    def looks(self) -> bool:
        """Whether the whole training set must be looked at."""
        return self.recipe.stop != ("steps",)

    def lose(self, members: list[int], step: int) -> None:
        """Stop members whose loss or weights are not finite.

        Args:
            members: Their places.
            step: At which it was seen.
        """
        for member in members:
            self.step[member], self.reason[member] = step, "not finite"

    def check(self, members: list[int], losses: Tensor, wrong: Tensor, step: int) -> None:
        """Stop members that have arrived.

        Args:
            members: Those that were looked at.
            losses: Their mean training losses ``[m]``.
            wrong: Their training errors, counted, ``[m]``.
            step: Steps taken.
        """
        criteria = [name for name in self.recipe.stop if name != "steps"]
        targets = self.recipe.each("target_loss", members)
        for place, member in enumerate(members):
            loss = float(losses[place])
            best = float(self._best[member])
            if best == torch.inf or loss < best - 0.01 * abs(best):
                self._best[member], self._since[member] = loss, 0
            else:
                self._since[member] += 1
            met = {
                "loss": loss <= float(targets[place]),
                "fit": int(wrong[place]) == 0,
                "plateau": int(self._since[member]) >= self.recipe.patience,
            }
            if criteria and all(met[name] for name in criteria):
                self.step[member], self.reason[member] = step, "+".join(criteria)

    def finish(self, step: int) -> None:
        """Stop everybody: the steps are spent.

        Args:
            step: The last.
        """
        self.step[self.step < 0] = step
