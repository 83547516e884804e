"""Test examples that stand in the training data too: exactly, or so nearly that chance cannot explain it."""

import hashlib
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import has_test_data
from heldout.engine.population import Inputs, stream
from heldout.engine.subject import Subject

FALSE_ALARMS = 1e-3  # near matches expected by chance in one audit of independent data
NEAREST = 0.2  # of the typical distance: never called near beyond it, however unlikely
MULTIPLY_ADDS = 2e10  # near matches are looked for in a random part of the test data beyond this work
REFERENCES = 1000  # training examples whose own neighbours say what is typical


class Duplicates(NamedTuple):
    """What was found.

    Attributes:
        exact: Indices of test examples that equal a training example, ``[K]``.
        near: Indices of further test examples that nearly do, ``[K']``.
        searched: How many test examples were searched for near matches; 0 where inputs are not numbers with a distance.
    """

    exact: Tensor
    near: Tensor
    searched: int


@evidence(requires=has_test_data)
def duplicates(subject: Subject, seed: int) -> Duplicates:
    """Exact matches by hash of the inputs, near matches by distance to the nearest training example.

    A near match is one that independent draws would hardly give. Where the data have local dimension d (Facco et al. 2017),
    the share of examples whose nearest neighbour is closer than a fraction r of the median distance is about ``ln 2 r^d``;
    r is chosen so that fewer than one in a thousand audits would see one by chance, and never above a fifth.

    Args:
        subject: With test data.
        seed: Of the subsets that are searched where the data are large.

    Returns:
        What was found.
    """
    train, test = subject.train, subject.test
    assert test is not None  # has_test_data was asked first
    ours, theirs = ((flat(part.x) if not part.x_per_member else None) for part in (train, test))
    if ours is None or theirs is None:  # every member has its own inputs: members are searched as one pool
        ours, theirs = (flat(part.x, fold_members=part.x_per_member) for part in (train, test))
    if ours.shape[1] != theirs.shape[1]:
        return Duplicates(torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long), 0)
    known = set(hashes(ours))
    exact = torch.tensor([i for i, digest in enumerate(hashes(theirs)) if digest in known], dtype=torch.long)
    if not all(leaf.is_floating_point() for leaf in tree_leaves(train.x)):
        return Duplicates(exact, torch.zeros(0, dtype=torch.long), 0)
    most = max(1, int(MULTIPLY_ADDS / max(1, ours.numel())))
    chosen = torch.randperm(len(theirs), generator=stream(seed, "duplicates"))[:most].sort().values
    near = chosen[nearest(theirs[chosen], ours, 1)[:, 0] < threshold(ours, len(chosen), seed)]
    return Duplicates(exact, near[~torch.isin(near, exact)], len(chosen))


def flat(inputs: Inputs, *, fold_members: bool = False) -> Tensor:
    """All inputs of an example in one row.

    Args:
        inputs: Leaves ``[N, ...]``, or ``[M, N, ...]``.
        fold_members: Whether the leaves lead with the members, which then become rows too.

    Returns:
        ``[N, F]``, float64 on the CPU.
    """
    leaves = [leaf.flatten(0, 1) if fold_members else leaf for leaf in tree_leaves(inputs)]
    return torch.cat([leaf.detach().cpu().double().reshape(len(leaf), -1) for leaf in leaves], dim=1)


def hashes(rows: Tensor) -> list[bytes]:
    """A digest of every row.

    Args:
        rows: ``[N, F]``.

    Returns:
        N digests; equal rows have equal ones (0 and -0 are equal).
    """
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in (rows + 0.0).numpy()]


def nearest(queries: Tensor, points: Tensor, count: int) -> Tensor:
    """Distances to the nearest points.

    Candidates are found by matrix products, whose cancellation hides small distances; theirs are computed again directly.

    Args:
        queries: ``[N, F]``.
        points: ``[N', F]``.
        count: How many neighbours.

    Returns:
        Ascending distances ``[N, count]``; infinite where there are not so many points.
    """
    count_here = min(count, len(points))
    squares, rows = points.square().sum(1), []
    block = max(1, int(2**25 // max(1, len(points))))
    for start in range(0, len(queries), block):
        few = queries[start : start + block]
        candidates = (squares - 2 * few @ points.T).topk(count_here, dim=1, largest=False).indices
        rows.append((points[candidates] - few.unsqueeze(1)).norm(dim=-1).sort(dim=1).values)
    found = torch.cat(rows)
    return torch.nn.functional.pad(found, (0, count - count_here), value=float("inf"))


def threshold(points: Tensor, queries: int, seed: int) -> float:
    """The distance below which a match is near.

    Args:
        points: Training inputs ``[N, F]``.
        queries: How many test examples are searched.
        seed: Of the references.

    Returns:
        A distance; 0 where the training data cannot say what is typical.
    """
    chosen = torch.randperm(len(points), generator=stream(seed, "references"))[:REFERENCES]
    around = nearest(points[chosen], points, 3)[:, 1:]  # the nearest is the point itself
    around = around[(around[:, 0] > 0) & torch.isfinite(around[:, 1])]
    if len(around) < 10:
        return 0.0
    typical = float(around[:, 0].median())
    spread = float((around[:, 1] / around[:, 0]).log().mean())
    dimension = 1 / spread if spread > 0 else math.inf
    return typical * min(NEAREST, (FALSE_ALARMS / (math.log(2) * queries)) ** (1 / dimension))
