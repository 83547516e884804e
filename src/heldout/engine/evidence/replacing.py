"""Networks trained again with one example replaced by a fresh one: what that changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.retraining import alone, can_train_again, errors_of, of_member, trained_together
from heldout.engine.evidence.surrogates import has_unseen_inputs
from heldout.engine.population import Inputs, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe

Floats = NDArray[np.float64]

DRAWS = 16  # of an example that is replaced: seconds for a small network on a thousand examples
BYTES = 256 * 2**20  # of training sets that differ in an example, held at once


@dataclass(frozen=True, slots=True, eq=False)
class Replaced:
    """What replacing one example changes.

    Attributes:
        gaps: Of every draw, the half difference of losses of which the mean is the expected gap, ``[M, D]``.
        changes: Mean change of the loss on the fresh examples that came into no set, or on all where there is none, ``[M, D]``.
        train_error: Of the networks trained on the examples as they are, ``[M]``.
        examples: N.
        data: Role -> which examples, in words.
    """

    gaps: Floats
    changes: Floats
    train_error: Floats
    examples: int
    data: Mapping[str, str] = field(default_factory=dict)


def can_replace(subject: Subject) -> None:
    """Demand networks that can be trained again, and fresh examples.

    Args:
        subject: What is under study.
    """
    can_train_again(subject)
    has_unseen_inputs(subject)


@evidence(forward=500, backward=500, requires=can_replace)
def replaced(subject: Subject, recipe: Recipe, seed: int) -> Replaced:
    """Every network trained again: on the examples as they are, and with one of them replaced by a test example, many times.

    Args:
        subject: With its untrained networks and test data.
        recipe: How they are trained.
        seed: Of the training, the same for all, and of the draws.

    Returns:
        Differences of 0-1 losses.
    """
    assert subject.test is not None  # can_replace was asked first
    assert subject.initial is not None
    count = min(DRAWS, len(subject.train), len(subject.test))
    out = torch.randperm(len(subject.train), generator=stream(seed, "replaced"))[:count]
    into = torch.randperm(len(subject.test), generator=stream(seed, "replacements"))[:count]
    rest = torch.tensor(
        [place for place in range(len(subject.test)) if place not in set(into.tolist())], dtype=torch.long
    )
    gaps, changes, train_errors = [], [], []
    for member in range(len(subject.population)):
        old, fresh = of_member(subject.train, member), of_member(subject.test, member)
        own = alone(recipe, member, len(old))
        base = trained_together(
            subject.initial, member, swapped(old, fresh, out[:0], into[:0], keep=True), own, seed=seed
        )
        judges = fresh.take(rest) if len(rest) else fresh
        before = errors_of(subject, base, judges)
        rows: list[Tensor] = []
        moved: list[Tensor] = []
        for places in chunks(torch.arange(count), sets_at_once(old)):
            sets = swapped(old, fresh, out[places], into[places])
            again = trained_together(subject.initial, member, sets, own, seed=seed)
            left, came = old.take(out[places]), fresh.take(into[places])
            rows.append(
                swap_gaps(
                    errors_of(subject, again, one_each(left))[:, 0],
                    errors_of(subject, base, left)[0],
                    errors_of(subject, base, came)[0],
                    errors_of(subject, again, one_each(came))[:, 0],
                )
            )
            moved.append((errors_of(subject, again, judges) - before).abs().mean(1))
        gaps.append(torch.cat(rows))
        changes.append(torch.cat(moved))
        train_errors.append(errors_of(subject, base, old).mean())
    return Replaced(
        gaps=torch.stack(gaps).numpy(),
        changes=torch.stack(changes).numpy(),
        train_error=torch.stack(train_errors).numpy(),
        examples=len(subject.train),
        data={
            "training": f"all {len(subject.train)} training examples; again with one of {count} replaced, seed {seed} for all",
            "replacements": f"{count} test examples",
            "assumption": "training and test examples are independent draws of one distribution",
        },
    )


def swap_gaps(
    without_old: Tensor | Floats, with_old: Tensor | Floats, without_new: Tensor | Floats, with_new: Tensor | Floats
) -> Any:
    r"""Unbiased estimates of the expected gap from pairs of sets that differ in one example.

    .. math:: \tfrac12 [\ell(A(S^{(i)}), z_i) - \ell(A(S), z_i)] + \tfrac12 [\ell(A(S), z'_i) - \ell(A(S^{(i)}), z'_i)]

    Both brackets are the loss on an example without it in training minus that with it; S and the set with the replacement are
    equal in law, so that each has the expected gap as its mean.

    Args:
        without_old: Losses on the replaced examples after they were replaced.
        with_old: The same before.
        without_new: Losses on the replacements before they came in.
        with_new: The same after.

    Returns:
        One estimate a draw.
    """
    return (without_old - with_old + without_new - with_new) / 2


def swapped(old: Examples, fresh: Examples, out: Tensor, into: Tensor, *, keep: bool = False) -> Examples:
    """Training sets with one example replaced.

    Args:
        old: N examples.
        fresh: Replacements.
        out: Places of those that leave, one a set, ``[D]``.
        into: Places of those that come, ``[D]``.
        keep: Whether the set as it is comes too, as the first.

    Returns:
        Sets ``[D, N]``, or one more.
    """
    first = int(keep)

    def sets(leaf: Tensor, new: Tensor) -> Tensor:
        copies = leaf.unsqueeze(0).repeat(len(out) + first, *[1] * leaf.ndim)
        copies[torch.arange(len(out)) + first, out] = new[into].to(copies)
        return copies

    return Examples(tree_map(sets, old.x, fresh.x), sets(old.y, fresh.y), x_per_member=True, y_per_member=True)


def one_each(examples: Examples) -> Examples:
    """One example for every network.

    Args:
        examples: D of them.

    Returns:
        Sets ``[D, 1]``.
    """
    x: Inputs = tree_map(lambda leaf: leaf.unsqueeze(1), examples.x)
    return Examples(x, examples.y.unsqueeze(1), x_per_member=True, y_per_member=True)


def chunks(draws: Tensor, size: int) -> list[Tensor]:
    """Draws in pieces.

    Args:
        draws: ``[D, ...]``.
        size: Of a piece, at most.

    Returns:
        The pieces in order.
    """
    return [draws[start : start + size] for start in range(0, len(draws), size)]


def sets_at_once(examples: Examples) -> int:
    """How many copies of a training set fit into :data:`BYTES`.

    Args:
        examples: The set.

    Returns:
        At least 1.
    """
    size = sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(examples.x))
    return int(max(1, BYTES // max(1, size)))
