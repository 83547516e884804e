"""A supersample: pairs of training examples of which a coin shows one to the network, many times."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.replacing import chunks, sets_at_once
from heldout.engine.evidence.retraining import alone, answers, can_train_again, of_member, trained_together
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe

Counts = NDArray[np.int64]

PAIRS = 150  # at most
DRAWS = 40  # of the coins; the second half shows what the first half hid


@dataclass(frozen=True, slots=True, eq=False)
class Supersampled:
    """What networks answer to pairs of which they saw one.

    Attributes:
        answers: Class named for both examples of a pair, ``[M, D, n, 2]``.
        labels: Their classes, ``[M, n, 2]``.
        choices: Which of the pair was seen in training, ``[D, n]``.
        seed: Of shuffles.
        data: Role -> which examples, in words.
    """

    answers: Counts
    labels: Counts
    choices: Counts
    seed: int = 0
    data: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> Counts:
        """0-1 losses, ``[M, D, n, 2]``."""
        return (self.answers != self.labels[:, None]).astype(np.int64)

    @property
    def seen(self) -> Counts:
        """0-1 losses on the examples that were seen, ``[M, D, n]``."""
        return np.take_along_axis(self.errors, self.choices[None, :, :, None], -1)[..., 0]

    @property
    def hidden(self) -> Counts:
        """0-1 losses on those that were not, ``[M, D, n]``."""
        return np.take_along_axis(self.errors, 1 - self.choices[None, :, :, None], -1)[..., 0]


@evidence(forward=500, backward=500, requires=can_train_again)
def supersampled(subject: Subject, recipe: Recipe, seed: int) -> Supersampled:
    """Networks trained from where each began on one example of every pair, for many tosses of the coins.

    Args:
        subject: Whose training examples are paired.
        recipe: How networks are trained.
        seed: Of pairs and coins, and of the training, the same for all tosses.

    Returns:
        Their answers to both examples of every pair.
    """
    assert subject.initial is not None  # can_train_again was asked first
    pairs = min(PAIRS, len(subject.train) // 2)
    places = torch.randperm(len(subject.train), generator=stream(seed, "supersample"))[: 2 * pairs].reshape(pairs, 2)
    half = torch.randint(2, (DRAWS // 2, pairs), generator=stream(seed, "coins"))
    choices = torch.cat([half, 1 - half])  # every coin is fair in the draws too
    rows, labels = [], []
    for member in range(len(subject.population)):
        both = of_member(subject.train, member).take(places.flatten())
        own, found = alone(recipe, member, pairs), []
        for coins in chunks(choices, sets_at_once(both)):
            trained = trained_together(subject.initial, member, shown(both, coins), own, seed=seed)
            found.append(answers(subject, trained, both).reshape(len(coins), pairs, 2))
        rows.append(torch.cat(found))
        labels.append(both.y.reshape(pairs, 2).cpu())
    return Supersampled(
        answers=torch.stack(rows).numpy(),
        labels=torch.stack(labels).long().numpy(),
        choices=choices.numpy(),
        seed=seed,
        data={
            "supersample": f"{2 * pairs} of {len(subject.train)} training examples in {pairs} pairs, drawn with seed {seed}",
            "training": f"one example of every pair, {DRAWS} times, seed {seed} for all",
            "assumption": "training examples are independent draws of one distribution",
        },
    )


def shown(both: Examples, coins: torch.Tensor) -> Examples:
    """The examples of all pairs that coins show.

    Args:
        both: ``[2 n]``, pair after pair.
        coins: ``[D, n]``.

    Returns:
        Sets ``[D, n]``.
    """
    places = 2 * torch.arange(coins.shape[1]) + coins
    return Examples(tree_map(lambda leaf: leaf[places], both.x), both.y[places], x_per_member=True, y_per_member=True)
