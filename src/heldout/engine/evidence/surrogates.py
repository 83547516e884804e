"""Surrogates of known risk for networks that nobody may touch, and where the two disagree on inputs without labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.duplicates import Duplicates, flat, hashes
from heldout.engine.evidence.outputs import has_test_data
from heldout.engine.evidence.picking import Picked
from heldout.engine.evidence.retraining import answers, can_train_again, errors_of, fitting
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe, fit
from heldout.records import NotApplicable

Counts = NDArray[np.int64]

SHARE = 0.7  # of the training examples for the surrogate; its bound rests on the others
BITS = 8  # of a rounded weight


@dataclass(frozen=True, slots=True, eq=False)
class Transferred:
    """What carries a surrogate's bound over to another network.

    Attributes:
        errors: Of the surrogates on the examples set aside, ``[M]``.
        examples: How many those are.
        disagreements: Inputs without labels to which network and surrogate give other answers, ``[M]``.
        unlabelled: How many inputs there are.
        test_errors: Of the network on the same inputs with their labels, ``[M]``, for the baseline alone.
        data: Role -> which examples, in words.
    """

    errors: Counts
    examples: int
    disagreements: Counts
    unlabelled: int
    test_errors: Counts | None = None
    data: Mapping[str, str] = field(default_factory=dict)


class Edited(NamedTuple):
    """What an edit of the weights changes.

    Attributes:
        disagreements: Inputs without labels to which the network gives another answer after it, ``[M]``.
        test_errors: Of the network after it on the same inputs with their labels, ``[M]``, for the baseline alone.
    """

    disagreements: Counts
    test_errors: Counts | None = None


def can_have_surrogate(subject: Subject) -> None:
    """Demand networks that can be trained again, and inputs that no network has seen.

    Args:
        subject: What is under study.
    """
    can_train_again(subject)
    has_unseen_inputs(subject)


def has_unseen_inputs(subject: Subject) -> None:
    """Demand test inputs of which the network is independent.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there are none, or they took part in choosing the network.
    """
    has_test_data(subject)
    if subject.selected_on_test:
        raise NotApplicable(
            "the test data took part in choosing the network, which must not depend on the inputs where it is compared",
            do="pass inputs that nobody has looked at; labels are not needed, any will do",
        )


@evidence(requires=has_unseen_inputs)
def unseen_inputs(subject: Subject, duplicates: Duplicates) -> Examples:
    """The test data, if none of their inputs stands in the training data.

    Args:
        subject: With test data.
        duplicates: Between training and test data.

    Returns:
        The test data.

    Raises:
        NotApplicable: If some do, and the subject does not say that independent draws repeat.
    """
    assert subject.test is not None  # has_unseen_inputs was asked first
    repeats = len(duplicates.exact) + len(duplicates.near)
    if subject.duplicates == "refuse" and repeats:
        raise NotApplicable(
            f"{repeats} test inputs equal or nearly equal a training input",
            do="remove them, or say duplicates='allow' if independent draws repeat in these data",
        )
    return subject.test


@evidence(requires=can_train_again)
def surrogate_split(subject: Subject, seed: int) -> tuple[Tensor, Tensor]:
    """Places of the training examples that train the surrogate, and of those set aside for its bound: a seeded split.

    Args:
        subject: Whose training examples they are.
        seed: Of the split.

    Returns:
        Two rising lists of places.

    Raises:
        NotApplicable: If an input stands in both parts, and the subject does not say that independent draws repeat.
    """
    count = len(subject.train)
    order = torch.randperm(count, generator=stream(seed, "surrogate split"))
    cut = min(count - 1, max(1, round(SHARE * count)))
    parts = order[:cut].sort().values, order[cut:].sort().values
    rows = hashes(flat(subject.train.x, fold_members=subject.train.x_per_member))
    whose = [place % count for place in range(len(rows))]  # members' own inputs count for all of them
    first, aside = (set(part.tolist()) for part in parts)
    seen = {rows[i] for i, place in enumerate(whose) if place in first}
    repeats = sum(rows[i] in seen for i, place in enumerate(whose) if place in aside)
    if subject.duplicates == "refuse" and repeats:
        raise NotApplicable(
            f"{repeats} of the examples set aside have the same input as one that trains the surrogate",
            do="remove repeated examples, or say duplicates='allow' if independent draws repeat in these data",
        )
    return parts


@evidence(forward=50, backward=50, requires=can_train_again)
def surrogate(subject: Subject, surrogate_split: tuple[Tensor, Tensor], recipe: Recipe, seed: int) -> Population:
    """The untrained networks, trained by the recipe on the first part of the split alone."""
    assert subject.initial is not None  # can_train_again was asked first
    part = subject.train.take(surrogate_split[0])
    with torch.enable_grad():
        return fit(subject.initial, part, fitting(recipe, len(part)), seed=seed).final


@evidence(forward=1, requires=can_have_surrogate)
def transferred(
    subject: Subject,
    surrogate: Population,
    surrogate_split: tuple[Tensor, Tensor],
    unseen_inputs: Examples,
    test_errors: Tensor,
    seed: int,
) -> Transferred:
    """Errors of the surrogate on the examples set aside, and where it disagrees with the network.

    Args:
        subject: Whose networks are certified.
        surrogate: Trained on the first part.
        surrogate_split: The two parts.
        unseen_inputs: Where they are compared.
        test_errors: Of the networks, for the baseline.
        seed: Of the split, for the ledger.

    Returns:
        Counts.
    """
    first, second = surrogate_split
    aside = subject.train.take(second)
    wrong = answers(subject, surrogate, aside) != aside.labels(len(surrogate)).cpu()
    return Transferred(
        errors=wrong.sum(1).numpy(),
        examples=len(second),
        disagreements=disagreements(subject, subject.population, surrogate, unseen_inputs),
        unlabelled=len(unseen_inputs),
        test_errors=test_errors.sum(1).long().cpu().numpy(),
        data={
            "network": f"all {len(subject.train)} training examples, and anything but the inputs below",
            "recipe": "fixed without the examples set aside, as the user declares",
            "surrogate": f"{len(first)} training examples, drawn with seed {seed}",
            "bound": f"the other {len(second)} training examples, assumed to be independent draws",
            "disagreement": f"the inputs of {len(unseen_inputs)} test examples, their labels unused, assumed to be independent draws",
            "baseline": "the same test examples with their labels",
        },
    )


@evidence(forward=1, requires=can_have_surrogate)
def picked_disagreements(subject: Subject, picked: Picked, unseen_inputs: Examples) -> Counts:
    """Test inputs to which the networks and those of Pick-to-Learn give other answers, ``[M]``."""
    assert picked.networks is not None  # they are missing in simulated problems alone
    return disagreements(subject, subject.population, picked.networks, unseen_inputs)


@evidence(forward=1, requires=can_have_surrogate)
def edited(subject: Subject, unseen_inputs: Examples) -> Edited:
    """The networks with rounded weights on the test inputs."""
    after = rounded(subject.population)
    return Edited(
        disagreements(subject, subject.population, after, unseen_inputs),
        errors_of(subject, after, unseen_inputs).sum(1).long().numpy(),
    )


def rounded(population: Population, *, bits: int = BITS) -> Population:
    """The networks with every tensor of weights rounded to equally spaced levels around 0.

    Args:
        population: The networks.
        bits: Of a weight; the outermost level is the largest weight of its tensor.

    Returns:
        The rounded population, in the same precision.
    """

    def nearest(tensor: Tensor) -> Tensor:
        largest = tensor.abs().flatten(1).amax(1).reshape(-1, *[1] * (tensor.ndim - 1))
        step = (largest / (2 ** (bits - 1) - 1)).clamp(min=torch.finfo(tensor.dtype).tiny)
        return (tensor / step).round() * step

    return population.with_tensors({n: nearest(t) for n, t in population.parameters.items()}, population.buffers)


def disagreements(subject: Subject, ours: Population, theirs: Population, inputs: Examples) -> Counts:
    """How often two populations give other answers.

    Args:
        subject: Whose task it is.
        ours: M networks.
        theirs: M networks.
        inputs: Labels are not looked at.

    Returns:
        ``[M]``.
    """
    return (answers(subject, ours, inputs) != answers(subject, theirs, inputs)).sum(1).numpy()
