"""Which examples a member sees at a step: epochs without replacement, derived from (seed, order, epoch)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heldout.engine.population import stream
from heldout.engine.training.recipe import Recipe
from heldout.records import Refusal


@dataclass(frozen=True, slots=True)
class Batches:
    """The order of examples.

    Attributes:
        total: Examples of the training set N.
        size: Examples a step B.
        subset: Examples that a member sees n.
        seed: Of the training.
    """

    total: int
    size: int
    subset: int
    seed: int

    @classmethod
    def of(cls, recipe: Recipe, total: int, seed: int) -> "Batches":
        """The batches of a recipe.

        Args:
            recipe: How it is trained.
            total: Examples of the training set.
            seed: Of the training.

        Returns:
            The batches.

        Raises:
            Refusal: If a batch is larger than the data.
        """
        subset = recipe.subset or total
        if subset > total:
            raise Refusal(
                given=f"subset was {subset}",
                expected=f"at most the {total} training examples",
                do="pass a smaller subset",
            )
        size = recipe.batch_size or subset
        if size > subset:
            raise Refusal(
                given=f"batch_size was {size}",
                expected=f"at most the {subset} training examples that a member sees",
                do=f"pass batch_size={subset}, or None for all of them",
            )
        return cls(total, size, subset, seed)

    @property
    def whole(self) -> bool:
        """Whether every step sees the whole training set in its order."""
        return self.size == self.total

    @property
    def per_epoch(self) -> int:
        """Steps an epoch; what does not fill a batch is left out until the next."""
        return self.subset // self.size

    def at(self, orders: Sequence[int], members: Sequence[int], first: int, last: int) -> Tensor:
        """Indices of the steps ``first`` to ``last - 1``.

        Args:
            orders: What seeds each member's order, ``[m]``.
            members: Their numbers, which seed their subsets, ``[m]``.
            first: From 0.
            last: Exclusive.

        Returns:
            ``[T, m, B]``, int64.
        """
        epochs = range(first // self.per_epoch, (last - 1) // self.per_epoch + 1)
        made: dict[tuple[int, int], np.ndarray] = {}
        rows = np.empty((len(members), len(epochs) * self.per_epoch * self.size), dtype=np.int64)
        for place, (order, member) in enumerate(zip(orders, members, strict=True)):
            if (order, member) not in made:
                made[order, member] = np.concatenate([self._epoch(order, member, epoch) for epoch in epochs])
            rows[place] = made[order, member]
        steps = rows.reshape(len(members), len(epochs) * self.per_epoch, self.size).swapaxes(0, 1)
        start = first - epochs[0] * self.per_epoch
        return torch.from_numpy(np.ascontiguousarray(steps[start : start + last - first]))

    def seen(self, member: int) -> Tensor:
        """The examples that a member ever sees.

        Args:
            member: Its number.

        Returns:
            Indices ``[n]``.
        """
        if self.subset == self.total:
            return torch.arange(self.total)
        return torch.randperm(self.total, generator=stream(self.seed, "subset", member))[: self.subset]

    def _epoch(self, order: int, member: int, epoch: int) -> np.ndarray:
        # Philox is a counter-based generator: a key makes a stream at once, where seeding another takes 20 times as long
        key = np.array([self.seed % 2**64, (order * 2**32 + epoch) % 2**64], dtype=np.uint64)
        permutation = np.random.Generator(np.random.Philox(key=key)).permutation(self.subset)
        kept = permutation[: self.per_epoch * self.size]
        return kept if self.subset == self.total else self.seen(member).numpy()[kept]
