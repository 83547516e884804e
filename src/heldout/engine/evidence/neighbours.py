"""Distances to nearest neighbours, among the inputs and among what the last layer receives, and how fast labels change."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.activations import MOST_EXAMPLES, has_hidden_layers
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

NEIGHBOURS = 20  # as Konz and Mazurowski 2024
CELLS = 20  # of the jackknife: an error from 20 groups is itself known to a sixth
SAME = 1e-6  # of the cloud's own size: nearer than float32 can tell apart
BYTES_AT_ONCE = 64 * 2**20  # of squared distances
INSTEAD = "use the readings of the representations"


class Neighbours(NamedTuple):
    """Where the examples lie among themselves.

    Attributes:
        distances: To the nearest other points, ascending, ``[M, n, K]``, float64; infinite where there are not so many, and
            throughout for an example that repeats an earlier one, which is nobody's neighbour either.
        cells: Which of 20 examples, drawn beforehand, is nearest, ``[M, n]``: groups of examples that lie together.
    """

    distances: Tensor
    cells: Tensor


def has_real_inputs(subject: Subject) -> None:
    """Demand inputs that are real numbers.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If a part of them is not.
    """
    if not all(leaf.is_floating_point() for leaf in tree_leaves(subject.probe)):
        raise NotApplicable("the inputs are not real numbers, and have no distances", do=INSTEAD)


@evidence(requires=has_real_inputs)
def data_neighbours(subject: Subject, seed: int) -> Neighbours:
    """Distances between the inputs of some training examples, at most 1000."""
    found = around(some_inputs(subject, seed))
    return Neighbours(*(part.expand(len(subject.population), *part.shape[1:]) for part in found))


@evidence(requires=has_hidden_layers)
def representation_neighbours(representations: dict[str, Tensor]) -> Neighbours:
    """Distances between what the last weight layer receives of some training examples."""
    return around(list(representations.values())[-1])


@evidence(requires=has_real_inputs)
def label_slopes(subject: Subject, labels: Tensor, seed: int) -> Tensor:
    """Steepest change of the label between an example and any other, ``[M, n]``, float64; at most 1000 examples.

    The distance of two labels is 1 where classes differ, and Euclidean for targets of a regression. Two equal inputs with
    different labels give infinity.

    Args:
        subject: What is under study.
        labels: ``[M, N, ...]``.
        seed: Of the choice of examples.

    Returns:
        Distance of labels over distance of inputs, the largest over the other examples.
    """
    x = some_inputs(subject, seed)
    y = labels[:, chosen(subject, seed).to(labels.device)].reshape(len(labels), x.shape[1], -1).double()
    classes = subject.loss.task == "classification"
    rows = []
    for member in range(0, len(y), at_once(x.shape[1])):
        few = slice(member, member + at_once(x.shape[1]))
        squares, same = squared_distances(x if len(x) == 1 else x[few])
        apart, equal = squared_distances(y[few])
        apart = (apart > 0.5).double() if classes else torch.where(equal, 0.0, apart.sqrt())
        slope = apart / torch.where(same, 0.0, squares).sqrt()
        rows.append(torch.where(apart > 0, slope, 0.0).amax(-1))
    return torch.cat(rows)


def chosen(subject: Subject, seed: int) -> Tensor:
    """The examples that are looked at: the first of those whose representations are, so that both speak of the same.

    Args:
        subject: What is under study.
        seed: Of the choice.

    Returns:
        Indices ``[n]``.
    """
    return torch.randperm(len(subject.train), generator=stream(seed, "representations"))[:MOST_EXAMPLES]


def some_inputs(subject: Subject, seed: int) -> Tensor:
    """Inputs of some examples, all their numbers in one row.

    Args:
        subject: What is under study.
        seed: Of the choice.

    Returns:
        ``[M, n, F]``; M is 1 where the networks share their inputs.
    """
    few = subject.train.take(chosen(subject, seed))
    leaves = [leaf if few.x_per_member else leaf.unsqueeze(0) for leaf in tree_leaves(few.x)]
    return torch.cat([leaf.to(subject.population.device).flatten(2).double() for leaf in leaves], dim=2)


def at_once(points: int) -> int:
    """How many members' squared distances are held at once.

    Args:
        points: Of each.

    Returns:
        At least 1.
    """
    return max(1, BYTES_AT_ONCE // (8 * points * points))


def squared_distances(points: Tensor) -> tuple[Tensor, Tensor]:
    """All squared distances, and which of them are those of one and the same point.

    Args:
        points: ``[M, n, F]``.

    Returns:
        ``[M, n, n]`` each.
    """
    x = points.double()
    x = x - x.mean(1, keepdim=True)
    squares = x.square().sum(-1)
    both = squares.unsqueeze(2) + squares.unsqueeze(1)
    found = (both - 2 * x @ x.transpose(1, 2)).clamp(min=0.0)
    return found, found <= SAME**2 * squares.mean(1)[:, None, None]


def around(points: Tensor) -> Neighbours:
    """The nearest neighbours of every point.

    Args:
        points: ``[M, n, F]``.

    Returns:
        Theirs.
    """
    count, nearest, cells = points.shape[1], [], []
    earlier = torch.ones(count, count, dtype=torch.bool, device=points.device).tril(-1)
    for few in torch.split(points, at_once(count)):
        squares, same = squared_distances(few)
        cells.append(squares[:, :, :CELLS].argmin(-1))
        repeated = (same & earlier).any(-1)
        away = same | repeated.unsqueeze(1) | repeated.unsqueeze(2)
        ordered = torch.where(away, float("inf"), squares).topk(min(NEIGHBOURS, count), largest=False).values
        nearest.append(ordered.sqrt())
    return Neighbours(torch.cat(nearest), torch.cat(cells))
