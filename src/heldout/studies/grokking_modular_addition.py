"""Grokking of modular addition by the quadratic network: generalization long after the fit, carried by single frequencies."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.fourier_modular import participation
from heldout.engine.population import Population, weight_matrices
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

FIT = 0.99  # the accuracy that counts as arrived


def arrival(rows: pd.DataFrame, column: str) -> list[float]:
    """First recorded step at which an accuracy is at least 0.99, by member; the last step + 1 where it never is."""
    late = rows.step.max() + 1
    return [float(own.step[own[column] >= FIT].min()) if (own[column] >= FIT).any() else float(late)
            for _, own in rows.groupby("member")]  # fmt: skip


def _arm(table: pd.DataFrame, share: float, decay: float | None = None) -> pd.DataFrame:
    decay = table.weight_decay.max() if decay is None else decay
    return table[np.isclose(table.share, share) & (table.weight_decay == decay)]


def _last(rows: pd.DataFrame, column: str) -> list[float]:
    return list(rows[rows.step == rows.step.max()].groupby("member")[column].mean())


def _delay(table: pd.DataFrame, share: float) -> list[float]:
    rows = _arm(table, share)
    return list(np.subtract(arrival(rows, "test_accuracy"), arrival(rows, "train_accuracy")))


def delay_at_half(table: pd.DataFrame) -> list[float]:
    """Steps from a training accuracy of 0.99 to a test accuracy of 0.99, half of the pairs being training data."""
    return _delay(table, 0.5)


def delay_with_most(table: pd.DataFrame) -> list[float]:
    """The same with the largest share of the pairs as training data."""
    return _delay(table, table.share.max())


def accuracy_at_half(table: pd.DataFrame) -> list[float]:
    """Final test accuracy, half of the pairs being training data."""
    return _last(_arm(table, 0.5), "test_accuracy")


def accuracy_with_few(table: pd.DataFrame) -> list[float]:
    """The same with the smallest share of the pairs as training data, which are fitted too."""
    return _last(_arm(table, table.share.min()), "test_accuracy")


def participation_at_half(table: pd.DataFrame) -> list[float]:
    """Final inverse participation ratio of the first layer's rows over frequencies, half of the pairs being training data."""
    return _last(_arm(table, 0.5), "participation")


def participation_with_few(table: pd.DataFrame) -> list[float]:
    """The same with the smallest share of the pairs as training data."""
    return _last(_arm(table, table.share.min()), "participation")


def hastening_by_decay(table: pd.DataFrame) -> list[float]:
    """Steps to a test accuracy of 0.99 without weight decay minus those with it, half of the pairs being training data."""
    slow, quick = (arrival(_arm(table, 0.5, decay), "test_accuracy") for decay in (0.0, table.weight_decay.max()))
    return list(np.subtract(slow, quick))


def accuracy_without_decay(table: pd.DataFrame) -> list[float]:
    """Final test accuracy without weight decay, half of the pairs being training data."""
    return _last(_arm(table, 0.5, 0.0), "test_accuracy")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracies and participation by step, their mean and range over members, one panel a share and weight decay."""
    names = {"train_accuracy": "training accuracy", "test_accuracy": "test accuracy", "participation": "participation"}
    long = table.rename(columns=names).melt(["share", "weight_decay", "step", "member"], list(names.values()), "curve")
    rows = (
        long
        .groupby(["share", "weight_decay", "step", "curve"])
        .value.agg(y="mean", low="min", high="max")
        .reset_index()
    )
    panel = [f"{s:.0%} of the pairs, weight decay {w:g}" for s, w in zip(rows["share"], rows.weight_decay, strict=True)]
    return rows.rename(columns={"step": "x"}).assign(panel=panel).drop(columns=["share", "weight_decay"])


GRID = {"share": [0.2, 0.5, 0.9], "weight_decay": [0.0, 5.0], "steps": 100, "members": 5}


@study(
    source="Gromov 2023; Doshi et al. 2024, section 3 and figure 2",
    drawn=curves,
    axes={"x": "steps", "y": "accuracy or participation ratio"},
    sizes={
        "smoke": {**GRID, "modulus": 59, "width": 200, "steps": 72, "every": 3, "members": 4},
        "laptop": {**GRID, "modulus": 97, "width": 500, "every": 4},
        "paper": {**GRID, "share": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], "weight_decay": [0.0, 5.0, 15.0, 20.0],
                  "modulus": 97, "width": 500, "steps": 2000, "every": 5, "members": 10},
    },
    claims=(
        Claim(
            "Networks generalize modular addition long after they fit it; with nearly all pairs they do so at once.",
            "Power et al. 2022, section 3.1; Gromov 2023, section 3",
            delay_at_half, bar=15.0, control=delay_with_most,
        ),
        Claim(
            "Half of the pairs suffice for full generalization; a fifth is fitted without it.",
            "Power et al. 2022, figure 1; Doshi et al. 2024, figure 3",
            accuracy_at_half, bar=0.5, control=accuracy_with_few,
        ),
        Claim(
            "In networks that generalize, hidden units turn into waves of one frequency.",
            "Gromov 2023, section 4; Doshi et al. 2024, section 3.1",
            participation_at_half, bar=0.4, control=participation_with_few,
        ),
        Claim(
            "Weight decay makes generalization come earlier.",
            "Power et al. 2022, section 3.3; Nanda et al. 2023, section 5.3",
            hastening_by_decay, bar=5.0,
        ),
        Claim("This network groks without any weight decay.", "Gromov 2023, section 3", accuracy_without_decay, bar=0.5,
              control=accuracy_with_few),
    ),
    notes="Weight decay 0 is no control: with squared error the quadratic network groks without it, only later. What must not "
    "grok is a share of the pairs that is too small; what must not be delayed is a share that leaves nothing to find out.",
)  # fmt: skip
def grokking_modular_addition(
    *, modulus: int, width: int, share: float, weight_decay: float, steps: int, every: int, members: int,
    lr: float = 0.01, operation: str = "addition", network: Callable[..., nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does a network generalize modular addition long after it fits it, and do its hidden units turn into single waves?

    ``f(a, b) = W (U [onehot(a), onehot(b)])^2``, squared error to the one-hot sum, AdamW (0.9, 0.98) on the whole training
    set. Participation is ``sum_k |F_k|^4 / (sum_k |F_k|^2)^2`` over the Fourier transform of each half of a row of U, its mean
    over rows: 1 is a single wave, 2 / (number of frequencies) is noise.

    Args:
        modulus: p.
        width: N.
        share: Of the p^2 pairs that is training data, drawn anew for every member.
        weight_decay: Of AdamW.
        steps: Full-batch steps.
        every: Steps between readings.
        members: Initialisations.
        lr: Of AdamW.
        operation: ``addition`` or ``subtraction``; the waves of multiplication have another order.
        network: Your own factory: no arguments -> a network from ``[N, 2 p]`` to ``[N, p]`` whose first layer is dense.
        seed: Of initialisation and splits.

    Returns:
        ``member``, ``step``, ``train_accuracy``, ``test_accuracy``, ``participation``.

    Example:
        >>> table = grokking_modular_addition(modulus=7, width=20, share=0.5, weight_decay=1.0, steps=4, every=2, members=2, seed=0)
        >>> table["step"]
        [0, 0, 2, 2, 4, 4]
    """
    pairs = find("modular-arithmetic").function
    train, test = own_data(
        lambda own: pairs(modulus=modulus, operation=operation, share=share, seed=own), members, seed
    )
    quadratic = find("quadratic-modular").function
    population = Population.of(network or (lambda: quadratic(modulus=modulus, width=width)), members, seed=seed)
    columns: dict[str, list[Any]] = {}

    def on_record(step: int, now: Population) -> None:
        halves = next(iter(weight_matrices(now).values())).reshape(members, -1, 2, modulus)
        columns.setdefault("member", []).extend(range(members))
        columns.setdefault("step", []).extend([step] * members)
        for name, data in (("train", train), ("test", test)):
            right = 1 - errors(now, data.x, data.y, x_per_member=True)
            columns.setdefault(f"{name}_accuracy", []).extend(right.tolist())
        columns.setdefault("participation", []).extend(participation(halves).nanmean((1, 2)).tolist())

    recipe = Recipe(
        optimizer="adamw", lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay, batch_size=None, steps=steps,
        loss="squared-error",
    )  # fmt: skip
    targets = torch.eye(modulus)[train.y]
    fit(population, replace(train, y=targets), recipe, seed=seed, at=range(0, steps + 1, every), on_record=on_record)
    return columns
