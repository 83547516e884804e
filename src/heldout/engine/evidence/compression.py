"""Networks that short messages hold: how long the messages are, and how well what they decode to fits the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from heldout.catalog import evidence
from heldout.engine.compression.compressing import Compressed, compressed
from heldout.engine.compression.receiving import check_received
from heldout.engine.evidence.outputs import class_scores
from heldout.engine.evidence.retraining import can_train_again
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe, fit
from heldout.records import Refusal

Floats = NDArray[np.float64]
#: Dimensions that are tried, as shares of the examples; every message says which it used.
SHARES, FEW_SHARES, MOST = (0.05, 0.1, 0.15), (0.02, 0.05), 4000
CODEBOOKS = ((5, True), (5, False), (9, True))  # levels, and whether they are evenly spaced
PRIOR_SHARE = 0.5  # of the training data for a learnt starting point


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Compressed networks, G of them for each member.

    Attributes:
        errors: Examples of the bound that each gets wrong, ``[G, M]``.
        bits: Length of its message, ``[G, M]``.
        examples: n of the bound.
        parts: Part of the message -> bits, one for each of G and M; empty for problems that are simulated.
        reference_errors: Errors of the starting points on the same examples, ``[M]``; None where nothing was learnt from others.
        networks: The decoded networks, one population for each of G; empty for problems that are simulated.
        data: Role -> which examples, in words.
    """

    errors: Floats
    bits: Floats
    examples: int
    parts: tuple[tuple[Mapping[str, float], ...], ...] = ()
    reference_errors: Floats | None = None
    networks: tuple[Population, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse lengths that no prefix-free code has, or that are no realised lengths."""
        sums = np.exp2(-self.bits).sum(0)
        if sums.max(initial=0.0) > 1:
            raise Refusal(
                given=f"messages of {len(self.bits)} networks had a Kraft sum of {sums.max():.3g}",
                expected="at most 1, as every prefix-free code has",
                do="use a prefix-free code: of plain strings, l bits and 2 log2(l) more still sum to 1.64",
            )
        for row, lengths in zip(self.parts, self.bits, strict=False):
            for parts, length in zip(row, lengths, strict=False):
                if parts and sum(parts.values()) != length:
                    raise Refusal(
                        given=f"a message of {sum(parts.values()):g} bits in parts was said to have {length:g}",
                        expected="the length of the whole message, codebook and counts included, as it was coded",
                        do="take the realised length, not an estimate by entropy",
                    )


@evidence(forward=60, backward=60, requires=can_train_again)
def codes(subject: Subject, recipe: Recipe, seed: int) -> Codes:
    """Networks trained in random subspaces around the untrained ones, which no example has touched.

    Args:
        subject: With its untrained networks.
        recipe: Of which loss, batch size and the order of examples are taken.
        seed: Of the subspaces, agreed on beforehand, and of the training.

    Returns:
        Their errors on all training examples, and their messages.
    """
    assert subject.initial is not None  # can_train_again was asked first
    data = {
        "starting point": "the networks before training, as the user declares: no example took part",
        "message": f"all {len(subject.train)} training examples",
        "bound": f"all {len(subject.train)} training examples, assumed to be independent draws",
    }
    return coded(subject, subject.initial, subject.train, subject.train, recipe, seed, SHARES, data)


@evidence(forward=90, backward=90, requires=can_train_again)
def codes_from_split(subject: Subject, recipe: Recipe, seed: int) -> Codes:
    """Networks trained in random subspaces around others that a part of the data has trained; the bound rests on the rest.

    Args:
        subject: With its untrained networks.
        recipe: By which the starting points are trained.
        seed: Of the split, of the subspaces and of all training.

    Returns:
        Errors on the rest, of the compressed networks and of the starting points, and the messages.
    """
    assert subject.initial is not None  # can_train_again was asked first
    order = torch.randperm(len(subject.train), generator=stream(seed, "compression split"))
    cut = max(1, int(PRIOR_SHARE * len(order)))
    first, rest = subject.train.take(order[:cut]), subject.train.take(order[cut:])
    own = recipe.but(batch_size=None if recipe.batch_size is None else min(recipe.batch_size, cut), subset=None)
    start = fit(subject.initial, first, own, seed=seed).final
    data = {
        "starting point": f"{cut} training examples, drawn by seed {seed}",
        "message": f"all {len(order)} training examples",
        "bound": f"the other {len(order) - cut} training examples, assumed to be independent draws",
    }
    found = coded(subject, start, subject.train, rest, recipe, seed, FEW_SHARES, data)
    return replace(found, reference_errors=wrong(subject, start, rest))


def coded(
    subject: Subject, start: Population, learned: Examples, judged: Examples, recipe: Recipe, seed: int, shares: tuple[float, ...],
    data: Mapping[str, str],
) -> Codes:  # fmt: skip
    """Compress around some starting points, for every dimension and codebook that is tried.

    Args:
        subject: Says what a class is.
        start: The starting points.
        learned: What the coordinates are trained on.
        judged: What the bound rests on.
        recipe: As in :func:`codes`.
        seed: As in :func:`codes`.
        shares: Dimensions as shares of the judged examples.
        data: Role -> which examples.

    Returns:
        The codes.
    """
    weights = sum(stack[0].numel() for stack in start.parameters.values())
    dimensions = sorted({max(1, min(int(share * len(judged)), MOST, weights // 2)) for share in shares})
    own = recipe.but(batch_size=None if recipe.batch_size is None else min(recipe.batch_size, len(learned)))
    found: list[Compressed] = []
    for dimension in dimensions:
        found += compressed(start, learned, own, dimension=dimension, codebooks=CODEBOOKS, seed=seed)
    for one in found:
        check_received(one, start, seed=seed)
    return Codes(
        errors=np.stack([wrong(subject, one.networks, judged) for one in found]),
        bits=np.array([[float(len(message)) for message in one.messages] for one in found]),
        examples=len(judged),
        parts=tuple(tuple(message.parts for message in one.messages) for one in found),
        networks=tuple(one.networks for one in found),
        data=data,
    )


def wrong(subject: Subject, networks: Population, examples: Examples) -> Floats:
    """Errors of every member.

    Args:
        subject: Says what a class is.
        networks: The members.
        examples: Which they are judged on.

    Returns:
        Counts, ``[M]``.
    """
    outputs = networks(examples.x, per_member=examples.x_per_member)
    labels = examples.labels(len(networks)).to(outputs.device)
    counts: Floats = (class_scores(subject, outputs).argmax(-1) != labels).double().sum(-1).cpu().numpy()
    return counts
