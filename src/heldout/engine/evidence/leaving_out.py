"""Networks trained again with each of some examples left out: what they answer to all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.replacing import chunks, sets_at_once
from heldout.engine.evidence.retraining import alone, answers, can_train_again, of_member, trained_together
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe

Counts = NDArray[np.int64]

POINTS = 100  # n + 1, at most: as many networks are trained


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What networks answer to n + 1 examples of which each saw all but one.

    Attributes:
        answers: Class named for every example, ``[M, D, n + 1]``.
        labels: Their classes, ``[M, n + 1]``.
        out: Which example was left out, ``[D]``.
        seed: Of shuffles.
        data: Role -> which examples, in words.
    """

    answers: Counts
    labels: Counts
    out: Counts
    seed: int = 0
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> Counts:
        """0-1 losses, ``[M, D, n + 1]``."""
        return (self.answers != self.labels[:, None]).astype(np.int64)

    @property
    def hidden(self) -> Counts:
        """0-1 loss on the example that was left out, ``[M, D]``."""
        return np.asarray(self.errors[:, np.arange(len(self.out)), self.out])

    @property
    def totals(self) -> Counts:
        """How many of all are wrong, ``[M, D]``."""
        return np.asarray(self.errors.sum(-1))


@evidence(forward=1000, backward=1000, requires=can_train_again)
def left_out(subject: Subject, recipe: Recipe, seed: int) -> LeftOut:
    """Networks trained from where each began on n of n + 1 examples, every one being left out once.

    Args:
        subject: Whose training examples they are.
        recipe: How networks are trained.
        seed: Of the choice of examples, and of the training, the same for all.

    Returns:
        Their answers to all n + 1.
    """
    assert subject.initial is not None  # can_train_again was asked first
    points = min(POINTS, len(subject.train))
    places = torch.randperm(len(subject.train), generator=stream(seed, "left-out"))[:points]
    rows, labels = [], []
    for member in range(len(subject.population)):
        every = of_member(subject.train, member).take(places)
        own, found = alone(recipe, member, points - 1), []
        for out in chunks(torch.arange(points), sets_at_once(every)):
            trained = trained_together(subject.initial, member, without(every, out), own, seed=seed)
            found.append(answers(subject, trained, every))
        rows.append(torch.cat(found))
        labels.append(every.y.cpu())
    return LeftOut(
        answers=torch.stack(rows).numpy(),
        labels=torch.stack(labels).long().numpy(),
        out=np.arange(points),
        seed=seed,
        data={
            "supersample": f"{points} of {len(subject.train)} training examples, drawn with seed {seed}",
            "training": f"all but one of them, every one left out once, seed {seed} for all",
            "assumption": "training examples are independent draws of one distribution",
        },
    )


def without(every: Examples, out: Tensor) -> Examples:
    """Sets that lack one example each.

    Args:
        every: n + 1 of them.
        out: Which is left out, ``[D]``.

    Returns:
        Sets ``[D, n]``.
    """
    first = torch.arange(len(every) - 1)
    places = first + (first >= out[:, None])
    return Examples(tree_map(lambda leaf: leaf[places], every.x), every.y[places], x_per_member=True, y_per_member=True)
