"""What the last weight layer receives, for training examples and for mixtures of them, with their labels."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.by_member import blocks_of, by_member
from heldout.engine.evidence.mixing import can_be_changed
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.places import Cut, intervening, last_input
from heldout.engine.population import Inputs, Population, stream
from heldout.engine.population.calling import examples_in
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_POINTS = 500  # as in the entry of the team BrAIn


class LabelledFeatures(NamedTuple):
    """Penultimate features with the labels that belong to them.

    Attributes:
        features: ``[M, n, F]``.
        labels: Shares of the classes, ``[M, n, C]``, float64.
    """

    features: Tensor
    labels: Tensor


@evidence(forward=1, thorough=True, requires=is_classification)
def penultimate_features(subject: Subject, labels: Tensor, seed: int) -> LabelledFeatures:
    """Of at most 500 training examples."""
    return _features(subject, labels, seed, mixed=False)


@evidence(forward=1, thorough=True, requires=can_be_changed)
def mixed_penultimate_features(subject: Subject, labels: Tensor, seed: int) -> LabelledFeatures:
    """Of the same examples, each mixed with another of them in a proportion from Beta(2, 2), and their labels with them."""
    return _features(subject, labels, seed, mixed=True)


def _features(subject: Subject, labels: Tensor, seed: int, *, mixed: bool) -> LabelledFeatures:
    population, train = subject.population, subject.train
    cut = last_input(population, subject.probe)
    if cut is None:
        raise NotApplicable("the network has no hidden layer between two weight layers",
                            do="use the readings of weights and outputs")  # fmt: skip
    chosen = torch.randperm(len(train), generator=stream(seed, "label variation"))[:MOST_POINTS]
    few, axis = train.take(chosen), int(train.x_per_member)
    one_hot = F.one_hot(labels[:, chosen.to(labels.device)], subject.classes or 2).double()
    x = few.x
    if mixed:
        # The middle one of three uniform numbers has the distribution Beta(2, 2).
        share = (
            torch.rand(3, len(chosen), generator=stream(seed, "mixed features"), dtype=torch.float64).median(0).values
        )
        other = torch.randperm(len(chosen), generator=stream(seed, "mixed pairs"))

        def blended(leaf: Tensor, axis: int) -> Tensor:
            weight = share.to(leaf).reshape(-1, *[1] * (leaf.ndim - axis - 1))
            return weight * leaf + (1 - weight) * leaf.index_select(axis, other.to(leaf.device))

        x, one_hot = tree_map(lambda leaf: blended(leaf, axis), x), blended(one_hot, 1)
    return LabelledFeatures(_received(population, cut, x, few.x_per_member), one_hot)


def _received(population: Population, cut: Cut, x: Inputs, per_member: bool) -> Tensor:
    """The tensor at a place, one row an example, ``[M, n, F]``."""

    def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Inputs) -> Tensor:
        seen: list[Tensor] = []

        def keep(tensor: Tensor) -> Tensor:
            seen.append(cut.rows(tensor).clone())
            return tensor

        with intervening(population.template, {cut: keep}):
            population.call_one(parameters, buffers, x)
        return seen[0]

    columns = [
        by_member(population, of_one, few, per_member=per_member)
        for _, few in blocks_of(population, x, per_member=per_member)
    ]
    population.tally.forward += examples_in(x, per_member=per_member) * len(population)
    return torch.cat(columns, dim=1)
