"""Cells of inputs by random hyperplanes, and how the losses differ within them."""

from dataclasses import dataclass
from math import log2

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.retraining import errors_of
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Partitioned:
    """Losses within cells.

    Attributes:
        largest: Largest difference of two 0-1 losses in a cell that training examples are in, ``[M]``.
        mean: The same averaged over training examples, ``[M]``.
        train_error: ``[M]``.
        cells: K, filled or not.
        examples: n.
    """

    largest: Floats
    mean: Floats
    train_error: Floats
    cells: int
    examples: int


def has_cells(subject: Subject) -> None:
    """Demand one set of real inputs and a classification.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: Otherwise.
    """
    is_classification(subject)
    leaves = tree_leaves(subject.probe)
    if (
        len(leaves) != 1
        or not leaves[0].is_floating_point()
        or subject.train.x_per_member
        or subject.train.y_per_member
    ):
        raise NotApplicable(
            "cells are of one tensor of real inputs and one set of labels for all networks",
            do="certify networks one by one",
        )


@evidence(requires=has_cells)
def partitioned(subject: Subject, errors: Tensor, seed: int) -> Partitioned:
    """Differences of losses within cells, over training and, where there are any, held-out examples."""
    n = len(subject.train)
    planes = max(1, int(log2(n) / 2))
    x, y, losses = tree_leaves(subject.train.x)[0].flatten(1), subject.train.y, errors
    if subject.test is not None and not subject.test.x_per_member and not subject.test.y_per_member:
        x = torch.cat([x, tree_leaves(subject.test.x)[0].flatten(1)])
        y = torch.cat([y, subject.test.y])
        losses = torch.cat([errors.double().cpu(), errors_of(subject, subject.population, subject.test)], dim=1)
    directions = torch.randn(x.shape[1], planes, generator=stream(seed, "hyperplanes"))
    sides = (x.cpu().float() @ directions > 0).long() @ (2 ** torch.arange(planes))
    classes = subject.classes or 2
    cell = (sides * classes + y.cpu().long()).numpy()
    cells, found = classes * 2**planes, losses.double().cpu().numpy()
    seen = np.unique(cell[:n])
    highest = np.stack([[row[cell == c].max() for c in seen] for row in found])
    lowest = np.stack([[row[cell == c].min() for c in seen] for row in found])
    counts = np.array([(cell[:n] == c).sum() for c in seen])
    differences = highest - lowest
    return Partitioned(differences.max(1), differences @ counts / n, found[:, :n].mean(1), cells, n)
