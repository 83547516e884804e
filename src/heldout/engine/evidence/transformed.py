"""Predictions on training pictures and signals that were changed in ways that should not matter."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.layouts import can_be_transformed, is_picture, layout_of
from heldout.engine.evidence.outputs import class_scores
from heldout.engine.evidence.transforms import pictures_changed, signals_changed
from heldout.engine.population import stream
from heldout.engine.subject import Subject

MOST_POINTS = 1000  # the runner-up took 12,864; a share of 1,000 is known to 0.016 at worst


class Transformed(NamedTuple):
    """What becomes of predictions.

    Attributes:
        names: Of the changes.
        kept: 1 where the predicted class stayed, ``[M, n, changes]``, float64.
        moved: How far the largest probability moved, ``[M, n, changes]``.
    """

    names: tuple[str, ...]
    kept: Tensor
    moved: Tensor


@evidence(forward=7, thorough=True, requires=can_be_transformed)
def transformed_predictions(subject: Subject, logits: Tensor, seed: int) -> Transformed:
    """Predictions on at most 1,000 training examples after each fixed change, beside those before."""
    layout, train = layout_of(subject), subject.train
    chosen = torch.randperm(len(train), generator=stream(seed, "transformed"))[:MOST_POINTS]
    few = train.take(chosen)
    height, width = few.x.shape[-2:]
    pictures = layout.picture
    changes = pictures_changed(len(chosen), height, width, layout, seed) if pictures else signals_changed(layout)
    before = logits[:, chosen.to(logits.device)]
    kept, moved = [], []
    for change in changes.values():
        outputs = subject.population(change(few.x), per_member=few.x_per_member).double()
        after = class_scores(subject, outputs)
        kept.append((after.argmax(-1) == before.argmax(-1)).double())
        moved.append((after.softmax(-1).amax(-1) - before.softmax(-1).amax(-1)).abs())
    return Transformed(tuple(changes), torch.stack(kept, -1), torch.stack(moved, -1))


@evidence(thorough=True, requires=is_picture)
def transformed_pictures(transformed_predictions: Transformed) -> Transformed:
    """The same, where the inputs are pictures."""
    return transformed_predictions
