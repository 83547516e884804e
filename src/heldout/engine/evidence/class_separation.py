"""How near the classes come to each other in the training data, and how wide the data are."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.neighbours import at_once, chosen, has_real_inputs, some_inputs, squared_distances
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.subject import Subject

NEAREST = 20  # pairs that show how fast the nearest come nearer as more are looked at
BLOCK = 1000  # examples whose norms are taken at once


class ClassSeparation(NamedTuple):
    """Of the training inputs.

    Attributes:
        distance: Between the two nearest examples of different classes, of all N, ``[M]``, float64; 0 where two are equal.
        radius: Largest distance of an example from the mean, ``[M]``.
        examples: N.
        classes: C.
    """

    distance: Tensor
    radius: Tensor
    examples: int
    classes: int


def has_classes_and_distances(subject: Subject) -> None:
    """Demand a classification of inputs that are real numbers.

    Args:
        subject: What is under study.
    """
    is_classification(subject)
    has_real_inputs(subject)


@evidence(thorough=True, requires=has_classes_and_distances)
def class_separation(subject: Subject, labels: Tensor, seed: int) -> ClassSeparation:
    """Least distance of two classes among the inputs, and their radius; at most 1000 examples are compared, and the rest foretold.

    Args:
        subject: A classification.
        labels: ``[M, N]``.
        seed: Of the choice of examples.

    Returns:
        Distance and radius.
    """
    members, examples = len(subject.population), len(subject.train)
    x, y = some_inputs(subject, seed), labels[:, chosen(subject, seed).to(labels.device)]
    together = at_once(x.shape[1])
    rows = [
        nearest_enemies(x if len(x) == 1 else x[start : start + together], y[start : start + together])
        for start in range(0, members, together)
    ]
    assert subject.classes is not None  # a classification
    return ClassSeparation(
        foretold(torch.cat(rows), (examples / x.shape[1]) ** 2),
        radius(subject).expand(members),
        examples,
        max(2, subject.classes),
    )


def nearest_enemies(x: Tensor, y: Tensor) -> Tensor:
    """Distances of the nearest pairs of examples with different labels.

    Args:
        x: ``[M, n, F]``, or shared ``[1, n, F]``.
        y: ``[M, n]``.

    Returns:
        Ascending, ``[M, 20]``; infinite where there are fewer.
    """
    squares, same = squared_distances(x)
    apart = (y.unsqueeze(2) != y.unsqueeze(1)).triu(1)
    found = torch.where(apart, torch.where(same, 0.0, squares), float("inf")).flatten(1)
    nearest = found.topk(min(NEAREST, found.shape[1]), largest=False).values.sort(1).values.sqrt()
    return torch.nn.functional.pad(nearest, (0, NEAREST - nearest.shape[1]), value=float("inf"))


def foretold(nearest: Tensor, more: float) -> Tensor:
    r"""The least distance among so many times as many pairs.

    .. math:: \delta = d_1 \rho^{-1/a}, \quad \frac1a = \frac1{k-1} \sum_{j < k} \ln \frac{d_k}{d_j}

    The number of pairs nearer than d grows as d^a (Hill's estimate of a, of a lower tail), so that the nearest of rho times as many
    is nearer by that factor.

    Args:
        nearest: d, ascending, ``[M, k]``.
        more: rho; 1 gives d_1 itself.

    Returns:
        ``[M]``.

    Example:
        >>> foretold(torch.tensor([[1.0, 1.0, 2.718281828]]), 1.0).item()
        1.0
        >>> round(foretold(torch.tensor([[1.0, 1.0, 2.718281828]]), 2.0).item(), 6)
        0.5
    """
    first = nearest[:, 0]
    if more == 1:
        return first
    inverse = (nearest[:, -1:] / nearest[:, :-1]).log().mean(1)
    # fewer pairs than k, or two that are equal: nothing is foretold
    return torch.where(inverse.isfinite(), first * torch.exp(-inverse.nan_to_num() * math.log(more)), first)


def radius(subject: Subject) -> Tensor:
    """Largest distance of a training input from their mean.

    Args:
        subject: What is under study.

    Returns:
        ``[M]``, or ``[1]`` where the networks share their inputs; float64.
    """
    train = subject.train
    leaves = [leaf if train.x_per_member else leaf.unsqueeze(0) for leaf in tree_leaves(train.x)]
    blocks = [slice(start, start + BLOCK) for start in range(0, len(train), BLOCK)]
    squares = torch.zeros(len(leaves[0]), len(train), dtype=torch.float64)
    for leaf in leaves:
        total = sum(leaf[:, few].double().sum(1) for few in blocks)
        assert isinstance(total, Tensor)
        middle = (total / len(train)).unsqueeze(1)
        for few in blocks:
            squares[:, few] += (leaf[:, few].double() - middle).flatten(2).square().sum(2).cpu()
    return squares.amax(1).sqrt().to(subject.population.device)
