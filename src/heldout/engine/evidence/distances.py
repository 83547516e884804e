"""Distances to the decision boundary: of training points, of mixtures of them, and of pictures changed at random."""

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.boundary import INPUT, Distances, distances_of
from heldout.engine.evidence.layouts import is_picture, layout_of
from heldout.engine.evidence.mixing import can_be_changed, gathered, partners
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.places import Cut
from heldout.engine.evidence.transforms import augmented
from heldout.engine.population import Population, stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_POINTS = 500  # as in the PGDL winners' margins
INSTEAD = "use the readings of margins and outputs"


@evidence(forward=1, backward=1, thorough=True, requires=is_classification)
def distances(
    subject: Subject, folded: Population, hidden_cuts: tuple[Cut, ...], labels: Tensor, seed: int
) -> Distances:
    """Distances of at most 500 training points, in the input (where it is numbers) and at every cut."""
    few = subject.train.take(_points(len(subject.train), seed))
    numbers = all(leaf.is_floating_point() for leaf in tree_leaves(few.x))
    if not (numbers or hidden_cuts):
        raise NotApplicable("neither the inputs nor a hidden layer are numbers that could be moved", do=INSTEAD)
    y = labels[:, _points(len(subject.train), seed).to(labels.device)]
    return distances_of(subject, folded, few.x, y, hidden_cuts, with_input=numbers, per_member=few.x_per_member)


@evidence(thorough=True)
def input_distances(distances: Distances) -> Distances:
    """Distances in the input alone."""
    if INPUT not in distances.distance:
        raise NotApplicable("the inputs are whole numbers, such as tokens, between which there is no distance",
                            do="use the normalised margins at hidden layers")  # fmt: skip
    return _only(distances, INPUT)


@evidence(thorough=True)
def first_hidden_distances(distances: Distances) -> Distances:
    """Distances in the representation that the first weight layer makes."""
    hidden = [place for place in distances.distance if place != INPUT]
    if not hidden:
        raise NotApplicable("the network has no hidden layer through which everything passes", do=INSTEAD)
    return _only(distances, hidden[0])


@evidence(forward=1, backward=1, thorough=True, requires=can_be_changed)
def mixed_distances(
    subject: Subject, folded: Population, hidden_cuts: tuple[Cut, ...], labels: Tensor, seed: int
) -> Distances:
    """Distances at the first hidden layer of half-and-half mixtures within a class; what is alone in its class stays as it is."""
    train, members = subject.train, len(subject.population)
    chosen = _points(len(train), seed)
    partner, _ = partners((labels if train.y_per_member else labels[:1]).cpu(), seed)
    apart = train.x_per_member or train.y_per_member
    here = gathered(train.x, chosen.unsqueeze(0), train.x_per_member, members, apart)
    other = gathered(train.x, partner[:, chosen], train.x_per_member, members, apart)
    mixed = tree_map(lambda one, two: 0.5 * one + 0.5 * two, here, other)
    y = labels[:, chosen.to(labels.device)]
    return distances_of(subject, folded, mixed, y, _first(hidden_cuts), with_input=False, per_member=apart)


@evidence(forward=1, backward=1, thorough=True, requires=is_picture)
def augmented_distances(
    subject: Subject, folded: Population, hidden_cuts: tuple[Cut, ...], labels: Tensor, seed: int
) -> Distances:
    """Distances, at the first hidden layer, of training pictures that were mirrored, flattened in contrast and zoomed at random."""
    chosen = _points(len(subject.train), seed)
    few = subject.train.take(chosen)
    x, y = augmented(few.x, layout_of(subject), seed), labels[:, chosen.to(labels.device)]
    return distances_of(subject, folded, x, y, _first(hidden_cuts), with_input=False, per_member=few.x_per_member)


def _points(examples: int, seed: int) -> Tensor:
    return torch.randperm(examples, generator=stream(seed, "distances"))[:MOST_POINTS]


def _first(cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
    if not cuts:
        raise NotApplicable("the network has no hidden layer through which everything passes", do=INSTEAD)
    return cuts[:1]


def _only(distances: Distances, place: str) -> Distances:
    return Distances(*({place: part[place]} for part in distances))
