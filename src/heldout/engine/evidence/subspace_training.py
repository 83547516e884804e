"""Networks trained in random subspaces of many dimensions: how well each fits, and how short a message holds it."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.compression.messages import encoded, levels_of
from heldout.engine.compression.nested import nested_subspaces
from heldout.engine.compression.projections import DENSE_ENTRIES, dense, sparse
from heldout.engine.evidence.noise import mistaken
from heldout.engine.evidence.retraining import can_train_again, fitting, in_float64
from heldout.engine.population import Population
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Plan, Recipe, fit

MOST = (
    4096  # dimensions; networks for digits need some hundreds, small ones for CIFAR-10 some thousands (Li et al. 2018)
)
STEPS, RATE = 200, 0.1  # of Adam; a coordinate moves the weights by as much as it moves itself
LEVELS = (3, 7, 15)  # of a coordinate in a message, evenly spaced; the message says how many
TOGETHER = 2**30  # bytes of networks that are trained at one time


class SubspaceTraining(NamedTuple):
    """What training in K subspaces gave.

    Attributes:
        dimensions: Ascending, ``[M, K]``, the same for all members.
        accuracies: Training accuracy in each subspace, ``[M, K]``.
        bits: Length of the two-part code with each subspace's network: a bit that says that there is one, the shortest message of
            its coordinates, and the labels (:func:`label_bits`), ``[M, K]``.
        start_bits: The same with the untrained network, which needs no message, ``[M]``.
        start_accuracy: Training accuracy of the untrained network, ``[M]``.
        own_accuracy: Training accuracy of the network itself, ``[M]``.
    """

    dimensions: Tensor
    accuracies: Tensor
    bits: Tensor
    start_bits: Tensor
    start_accuracy: Tensor
    own_accuracy: Tensor


@evidence(forward=250, backward=250, thorough=True, requires=can_train_again)
def subspace_training(subject: Subject, errors: Tensor, recipe: Recipe, seed: int) -> SubspaceTraining:
    """The untrained networks trained in random subspaces of 1, 2, 4, ... dimensions, at most 2 N, all in one stack.

    Args:
        subject: With its untrained networks.
        errors: Of the networks themselves.
        recipe: Of which loss and batch size are taken.
        seed: Of the subspaces, which are nested in one another, and of the batches.

    Returns:
        Accuracies and code lengths. Training is in float64, so that rounding does not decide at the mark.
    """
    assert subject.initial is not None  # can_train_again was asked first
    assert subject.classes is not None
    start = in_float64(subject.initial)
    members, train = len(start), subject.train
    most = min(MOST, start.size, 2 * len(train))
    dimensions = [2**k for k in range(most.bit_length())]
    make = dense if start.size * dimensions[-1] <= DENSE_ENTRIES else sparse
    stack = nested_subspaces(start, make(start.size, dimensions[-1], seed=seed), dimensions)
    plain = fitting(recipe, len(train)).but(
        optimizer="adam", lr=RATE, steps=STEPS, schedule="cosine", stop="steps", weight_decay=0.0, interventions=(),
        warmup=0, label_noise=0.0, subset=None, dropout=None, order=0,
    )  # fmt: skip
    data = repeated(train, len(dimensions))
    mapped = stack.stackable(data.x, per_member=data.x_per_member)
    plan = Plan(chunk=max(1, min(len(stack), TOGETHER // (64 * start.size))) if mapped else 1, mapped=mapped)
    with torch.enable_grad():
        trained = fit(stack, data, plain, seed=seed, plan=plan).final
    wrong = _wrong(subject, trained, members)
    candidates = []
    for levels in LEVELS:
        sent, message_bits = _sent(trained, dimensions * members, levels)
        told = label_bits(_wrong(subject, sent, members), len(train), subject.classes)
        candidates.append(1 + message_bits.reshape(members, -1).to(told.device) + told)
    untrained = _wrong(subject, start, members).squeeze(1)
    return SubspaceTraining(
        torch.tensor(dimensions, dtype=torch.float64, device=wrong.device).expand(members, -1),
        1 - wrong / len(train),
        torch.stack(candidates).amin(0),
        1 + label_bits(untrained, len(train), subject.classes),
        1 - untrained / len(train),
        1 - errors.mean(1),
    )


def label_bits(wrong: Tensor, examples: int, classes: int) -> Tensor:
    r"""Bits that tell all labels to somebody who has inputs and network: how many are wrong, which, and what they are.

    .. math:: \log_2 (N + 1) + \log_2 \binom{N}{k} + k \log_2 (C - 1)

    Args:
        wrong: k, any shape.
        examples: N.
        classes: C.

    Returns:
        Of the same shape, float64.

    Example:
        >>> label_bits(torch.tensor([0.0, 1.0]), 3, 3).tolist() == [2.0, 2.0 + math.log2(3) + 1.0]
        True
    """
    wrong = wrong.double()
    total = torch.tensor(float(examples), dtype=torch.float64, device=wrong.device)
    chosen = (total + 1).lgamma() - (wrong + 1).lgamma() - (total - wrong + 1).lgamma()
    return math.log2(examples + 1) + (chosen / math.log(2)).clamp(min=0) + wrong * math.log2(max(1, classes - 1))


def repeated(examples: Examples, count: int) -> Examples:
    """The examples of every member, so many times in a row.

    Args:
        examples: Of M members, or shared.
        count: How often.

    Returns:
        Examples of ``M count`` members; the same where all share them.
    """
    x = tree_map(lambda leaf: leaf.repeat_interleave(count, 0), examples.x) if examples.x_per_member else examples.x
    y = examples.y.repeat_interleave(count, 0) if examples.y_per_member else examples.y
    return replace(examples, x=x, y=y)


def _wrong(subject: Subject, networks: Population, members: int) -> Tensor:
    """Training examples that each gets wrong, ``[M, K]``, float64."""
    data = repeated(subject.train, len(networks) // members)
    outputs = networks(data.x, per_member=data.x_per_member)
    labels = data.labels(len(networks)).to(outputs.device)
    return mistaken(subject, outputs, labels).sum(1).reshape(members, -1)


def _sent(trained: Population, dimensions: list[int], levels: int) -> tuple[Population, Tensor]:
    """The networks with coordinates at evenly spaced levels, and the length of each one's message."""
    rows = trained.parameters["coordinates"]
    snapped, bits = torch.zeros_like(rows), []
    for place, (row, dimension) in enumerate(zip(rows.cpu().double().numpy(), dimensions, strict=True)):
        own = row[:dimension]
        book = np.array([2 * np.quantile(np.abs(own), 0.95) / levels], dtype=np.float16)
        level = levels_of(book, levels)
        symbols = np.abs(own[:, None] - level).argmin(1).astype(np.int64)
        bits.append(float(len(encoded(symbols, book, levels))))
        snapped[place, :dimension] = torch.from_numpy(level[symbols]).to(rows)
    return trained.with_tensors({"coordinates": snapped}, trained.buffers), torch.tensor(bits, dtype=torch.float64)
