"""Predictions on inputs that were changed a little: mixed with another of their class, or with noise added."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.outputs import logits as class_scores
from heldout.engine.population import Inputs, inputs_at, stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


class MixupOutcomes(NamedTuple):
    """What the network says of mixed inputs.

    Attributes:
        correct: 1 where the mixed input is labelled with the class of its two parents, ``[M, N]``, float64.
        counted: 1 where there was a second parent, ``[M, N]``, float64; 0 in classes of a single example.
    """

    correct: Tensor
    counted: Tensor


def can_be_changed(subject: Subject) -> None:
    """Demand a classification of inputs that can be averaged.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If the task is a regression, or an input holds whole numbers.
    """
    is_classification(subject)
    if not all(leaf.is_floating_point() for leaf in tree_leaves(subject.train.x)):
        raise NotApplicable(
            "the inputs are whole numbers, such as tokens, which cannot be averaged or given noise",
            do="pass inputs of floating-point numbers, such as embeddings or scaled images",
        )


@evidence(forward=1, requires=can_be_changed)
def mixup_correct(subject: Subject, labels: Tensor, seed: int) -> MixupOutcomes:
    """Whether the half-and-half mixture of every training example with a random other of its class is given that class."""
    train, population = subject.train, subject.population
    own = labels if train.y_per_member else labels[:1]  # members that share labels share partners, and then inputs
    partner, counted = partners(own.cpu(), seed)
    apart = train.x_per_member or train.y_per_member
    _, block = population.chunks(train.x, per_member=train.x_per_member)
    columns = []
    for start in range(0, len(train), block):
        few = slice(start, start + block)
        here = inputs_at(train.x, few, per_member=train.x_per_member)
        other = gathered(train.x, partner[:, few], train.x_per_member, len(population), apart)
        mixed = tree_map(lambda one, two: 0.5 * one + 0.5 * two, here, other)
        columns.append(class_scores(subject, population(mixed, per_member=apart)).argmax(-1))
    correct = (torch.cat(columns, dim=1) == labels).double()
    return MixupOutcomes(correct, counted.to(correct).expand_as(correct))


@evidence(forward=1, requires=can_be_changed)
def noisy_predictions_kept(subject: Subject, logits: Tensor, seed: int, *, strength: float = 0.1) -> Tensor:
    """Which training examples keep their prediction under Gaussian noise on the input.

    Args:
        subject: What is under study.
        logits: Class scores on the inputs as they are.
        seed: Of the noise, which all members share.
        strength: Standard deviation of the noise in units of each input feature's own over the training data.

    Returns:
        1 where the prediction stayed, ``[M, N]``, float64.
    """
    train, population = subject.train, subject.population
    axis = 1 if train.x_per_member else 0
    leaves, form = tree_flatten(train.x)
    noisy = []
    for index, leaf in enumerate(leaves):
        deviation = leaf.std(axis, keepdim=True, correction=0)
        # One noise for all members: a member audited alone meets the same.
        noise = torch.randn(leaf.shape[axis:], generator=stream(seed, "input-noise", index)).to(leaf)
        noisy.append(leaf + strength * deviation * noise)
    outputs = population(tree_unflatten(noisy, form), per_member=train.x_per_member)
    return (class_scores(subject, outputs).argmax(-1) == logits.argmax(-1)).double()


def partners(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """For every example another one of its class, each with equal probability.

    The classes are put in a random order and each example takes the next of its class, the last one the first.

    Args:
        labels: ``[M, N]``, on the CPU.
        seed: Of the order, which all rows share.

    Returns:
        Index of the partner ``[M, N]``, and whether there is one (an example alone in its class is its own).
    """
    examples = labels.shape[1]
    shuffle = torch.randperm(examples, generator=stream(seed, "mixup"))
    ordered, place = labels[:, shuffle].sort(dim=-1, stable=True)
    example = shuffle[place]  # by class, and in random order within each
    ordered = ordered.contiguous()
    first = torch.searchsorted(ordered, ordered)
    last = torch.searchsorted(ordered, ordered, right=True) - 1
    position = torch.arange(examples).expand_as(first)
    following = torch.where(position < last, position + 1, first)
    partner = torch.empty_like(example).scatter_(-1, example, example.gather(-1, following))
    alone = torch.empty_like(example).scatter_(-1, example, (first == last).long())
    return partner, alone == 0


def gathered(x: Inputs, index: Tensor, per_member: bool, members: int, apart: bool) -> Inputs:
    """Inputs at the partners.

    Args:
        x: Leaves ``[N, ...]``, or ``[M, N, ...]`` where ``per_member``.
        index: Which, ``[M or 1, n]``.
        per_member: Whether members have inputs of their own.
        members: M.
        apart: Whether members have inputs or partners of their own.

    Returns:
        Leaves ``[n, ...]`` where all members share them, ``[M, n, ...]`` otherwise.
    """
    if not apart:
        return inputs_at(x, index[0])
    rows = index.expand(members, -1)
    if not per_member:
        return inputs_at(x, rows)
    member = torch.arange(members).unsqueeze(-1)
    return tree_map(lambda leaf: leaf[member.to(leaf.device), rows.to(leaf.device)], x)
