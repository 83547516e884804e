"""How few weights keep the training loss: the smallest removed first, and removed at random."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.pruning import STEPS, Ranks, bisected, magnitude_ranks, pruned_to
from heldout.engine.population import Population, stream
from heldout.engine.subject import Subject

TOLERANCE = 0.1  # by which the training loss may rise, relative to itself
DRAWS = 5  # orders in which weights are removed at random


class LossPruning(NamedTuple):
    """The smallest fractions of weights whose training loss is at most a tenth above the network's own.

    Attributes:
        kept: Of the largest weights, ``[M]``.
        failing: The nearest smaller fraction that was tried and failed, ``[M]``.
        converged: False where the smallest fraction tried still passed, ``[M]``.
        random: Of weights in random orders, ``[M, D]``.
        random_converged: ``[M]``.
    """

    kept: Tensor
    failing: Tensor
    converged: Tensor
    random: Tensor
    random_converged: Tensor


@evidence(forward=STEPS * (1 + DRAWS), thorough=True)
def loss_pruning(subject: Subject, folded: Population, losses: Tensor, labels: Tensor, seed: int) -> LossPruning:
    """Fractions found by bisection for one order by magnitude and five at random, which all members share."""
    members, orders = len(folded), 1 + DRAWS
    ranks = _orders(folded, seed)
    several = folded.with_tensors(
        {name: stack.repeat_interleave(orders, 0) for name, stack in folded.parameters.items()},
        {name: stack.repeat_interleave(orders, 0) for name, stack in folded.buffers.items()},
    )
    train = subject.train
    x = tree_map(lambda leaf: leaf.repeat_interleave(orders, 0), train.x) if train.x_per_member else train.x
    known = labels.repeat_interleave(orders, 0)
    total = sum(rank[0].numel() for rank in ranks.values())

    def loss_at(fraction: Tensor) -> Tensor:
        pruned = pruned_to(several, ranks, (fraction * total).round())
        outputs = pruned(x, per_member=train.x_per_member).double()
        each = torch.stack([subject.loss.per_example(*pair) for pair in zip(outputs, known, strict=True)])
        return torch.where(each.isfinite(), each, float("inf")).mean(1)

    own = losses.mean(1).repeat_interleave(orders)
    found = bisected(own, own + TOLERANCE * own.abs(), loss_at, total)
    kept, failing, settled = (part.reshape(members, orders) for part in found[:3])
    return LossPruning(kept[:, 0], failing[:, 0], settled[:, 0], kept[:, 1:], settled[:, 1:].all(1))


def _orders(population: Population, seed: int) -> Ranks:
    """For every member the order of its magnitudes, then the random ones, ``[M (1 + D), ...]``."""
    by_size = magnitude_ranks(population)
    sizes = [rank[0].numel() for rank in by_size.values()]
    rows = [torch.randperm(sum(sizes), generator=stream(seed, "pruning order", draw)) for draw in range(DRAWS)]
    drawn = torch.split(torch.stack(rows), sizes, dim=1)
    together: Ranks = {}
    for (name, rank), random in zip(by_size.items(), drawn, strict=True):
        shared = random.reshape(1, DRAWS, *rank.shape[1:]).to(rank.device).expand(len(rank), DRAWS, *rank.shape[1:])
        together[name] = torch.cat([rank.unsqueeze(1), shared], dim=1).flatten(0, 1)
    return together
