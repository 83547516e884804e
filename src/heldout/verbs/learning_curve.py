"""What more data would bring, from trainings on parts of the data at hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from heldout.engine.numerics.domain import Floats
from heldout.engine.subject import as_examples
from heldout.engine.sweeping import sweep
from heldout.engine.training import Plan, Recipe
from heldout.engine.watching.extrapolation import Extrapolation, more_data

PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Errors at several training sizes, and beyond.

    Attributes:
        sizes: Training examples ``[S]``.
        errors: Test error of each training ``[S, trainings]``.
        more: What the larger size would bring.
    """

    sizes: tuple[int, ...]
    errors: Floats
    more: Extrapolation


def learning_curve(
    network: Callable[..., nn.Module],
    data: Any,
    recipe: Recipe | None = None,
    *,
    test: Any,
    sizes: Sequence[int] | None = None,
    trainings: int = 3,
    target: float | None = None,
    confidence: float = 0.95,
    store: str = "memory://heldout-learning-curve",
    seed: int = 0,
    plan: Plan | None = None,
) -> LearningCurve:
    """Train on parts of the data and continue the curve.

    Each training draws a part of its own, so the interval knows how much trainings differ. All take the recipe's steps.

    Args:
        network: Factory of the network.
        data: Training data in any form that a Subject takes.
        recipe: How to train; a :class:`Recipe` of its defaults unless given.
        test: Data that the networks do not see.
        sizes: Training examples; a sixteenth, an eighth, a quarter, a half and all unless given.
        trainings: Of each size.
        target: Training examples that are asked about; None for twice the largest size.
        confidence: Of the interval.
        store: Directory or URL, where trainings are kept and taken up again.
        seed: Of everything random.
        plan: How the trainings are carried out; chosen unless given.

    Returns:
        The curve.
    """
    examples, unseen = as_examples(data, "data"), as_examples(test, "test")
    parts = sorted({max(1, round(share * len(examples))) for share in PARTS}) if sizes is None else list(sizes)
    found = sweep(
        {"subset": parts}, network, examples, recipe, store=store, test=unseen, seeds=trainings, seed=seed,
        record=("test-accuracy",), every=[(recipe or Recipe()).steps], plan=plan,
    ).rows  # fmt: skip
    last = found.groupby(["hp.subset", "seed"]).value.last().unstack()
    errors = np.asarray(1 - last.loc[parts].to_numpy(dtype=np.float64))
    return LearningCurve(
        tuple(parts), errors, more_data(parts, errors, len(unseen), target=target, confidence=confidence)
    )
