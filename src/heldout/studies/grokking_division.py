"""Grokking of modular division: a transformer and the quadratic network; waves over discrete logarithms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.fourier_modular import participation, powers_of_a_root
from heldout.engine.population import Population
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

ARRIVED = 0.9


@dataclass(frozen=True, slots=True)
class Arm:
    """What differs between the arms.

    Attributes:
        network: ``quadratic`` or ``transformer``.
        few: Whether the training data are the small share of the pairs.
        decay: Whether there is weight decay.
    """

    network: str
    few: bool
    decay: bool


ARMS: Mapping[str, Arm] = {
    "quadratic": Arm("quadratic", few=False, decay=True),
    "quadratic, few pairs": Arm("quadratic", few=True, decay=True),
    "transformer": Arm("transformer", few=False, decay=True),
    "transformer, no decay": Arm("transformer", few=False, decay=False),
}


def _last(table: pd.DataFrame, arm: str, column: str = "test_accuracy") -> list[float]:
    rows = table[table.arm == arm]
    return list(rows[rows.step == rows.step.max()].sort_values("member")[column])


def _lateness(table: pd.DataFrame, arm: str) -> list[float]:
    ratios, last = [], table.step[table.arm == arm].max()
    for _, own in table[table.arm == arm].groupby("member"):
        arrived = own.step[own.test_accuracy >= ARRIVED]
        fitted = own.step[own.train_accuracy >= ARRIVED].min()
        ratios.append(float(np.log((arrived.min() if len(arrived) else last) / fitted)))
    return ratios


def quadratic_accuracy(table: pd.DataFrame) -> list[float]:
    """Final test accuracy of the quadratic network."""
    return _last(table, "quadratic")


def quadratic_accuracy_with_few(table: pd.DataFrame) -> list[float]:
    """The same with the small share of the pairs as training data."""
    return _last(table, "quadratic, few pairs")


def transformer_accuracy(table: pd.DataFrame) -> list[float]:
    """Final test accuracy of the transformer with weight decay."""
    return _last(table, "transformer")


def transformer_accuracy_without_decay(table: pd.DataFrame) -> list[float]:
    """The same without weight decay."""
    return _last(table, "transformer, no decay")


def transformer_lateness(table: pd.DataFrame) -> list[float]:
    """Log ratio of the transformer's steps to a test accuracy of 0.9, or the last where it is not reached, to those to a fit."""
    return _lateness(table, "transformer")


def participation_by_logarithm(table: pd.DataFrame) -> list[float]:
    """Final participation ratio of the quadratic network's first layer, residues in the order of discrete logarithms."""
    return _last(table, "quadratic", "by_logarithm")


def participation_by_residue(table: pd.DataFrame) -> list[float]:
    """The same, residues in their own order."""
    return _last(table, "quadratic", "by_residue")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracies and participation by step, one panel an arm."""
    names = {"train_accuracy": "training accuracy", "test_accuracy": "test accuracy",
             "by_logarithm": "participation over logarithms", "by_residue": "participation over residues"}  # fmt: skip
    long = (
        table[table.step > 0]
        .rename(columns=names)
        .melt(["arm", "step", "member"], list(names.values()), "curve")
        .dropna()
    )
    rows = long.groupby(["arm", "step", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    return rows.rename(columns={"step": "x", "arm": "panel"})


@study(
    source="Power et al. 2022, section 3 and figure 1 (division); Gromov 2023, section 3",
    drawn=curves,
    axes={"x": "steps", "y": "accuracy or participation ratio", "log_x": True},
    sizes={
        "smoke": {"arm": [*ARMS][:2], "modulus": 59, "width": 200, "steps": 100, "members": 4},
        "laptop": {"arm": [*ARMS], "modulus": 59, "width": 200, "steps": 100, "members": 4, "transformer_modulus": 31,
                   "transformer_share": 0.7, "transformer_width": 64, "transformer_steps": 2000},
        "paper": {"arm": [*ARMS], "modulus": 97, "width": 500, "steps": 200, "members": 5, "transformer_modulus": 97,
                  "transformer_share": 0.5, "transformer_width": 128, "transformer_steps": 100000},
    },
    claims=(
        Claim(
            "A two-layer network groks modular division; with a fifth of the pairs it only fits them.",
            "Gromov 2023, section 3; Doshi et al. 2024, figure 3",
            quadratic_accuracy, bar=0.5, control=quadratic_accuracy_with_few,
        ),
        Claim(
            "Its hidden units are waves over discrete logarithms, not over residues.",
            "Gromov 2023, section 4.3 (multiplication); Doshi et al. 2024",
            participation_by_logarithm, bar=0.4, control=participation_by_residue,
        ),
        Claim(
            "A one-layer transformer groks modular division under weight decay and not without.",
            "Power et al. 2022, figures 1 and 2; Nanda et al. 2023, section 5.3",
            transformer_accuracy, bar=0.5, control=transformer_accuracy_without_decay,
        ),
        Claim(
            "The transformer fits its data at least twice as fast as it generalizes.",
            "Power et al. 2022, section 3.1",
            transformer_lateness, bar=0.7,
        ),
    ),
    notes="The small grid holds the quadratic network only: the transformer needs a thousand steps and more. Its modulus is 31 "
    "on a laptop; at modulus 23 (width 32, learning rate 0.002, 1,500 steps) it was seen to memorise and not to grok.",
)  # fmt: skip
def grokking_division(
    *, arm: str, modulus: int, width: int, steps: int, members: int, share: float = 0.5, few: float = 0.2,
    transformer_modulus: int = 31, transformer_share: float = 0.7, transformer_width: int = 64,
    transformer_steps: int = 2000, readings: int = 25, operation: str = "division", seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Do a transformer and a quadratic network grok modular division, and in which order of the residues are its waves?

    Quadratic network: squared error, AdamW (0.9, 0.98), rate 0.01, weight decay 5. Transformer: one layer without layer norm on
    tokens a, b, =; cross-entropy, AdamW (0.9, 0.98), rate 0.001, weight decay 1 or 0. Both on the whole training set.

    Args:
        arm: A name in ``ARMS``.
        modulus: p of the quadratic network.
        width: Its hidden units.
        steps: Its full-batch steps.
        members: Initialisations.
        share: Of the pairs that is its training data.
        few: That share in the arm of few pairs.
        transformer_modulus: p of the transformer.
        transformer_share: Of the pairs that is its training data.
        transformer_width: Of its stream; the hidden layer is four times as wide.
        transformer_steps: Its full-batch steps.
        readings: How many, at equal distances, besides that at initialisation.
        operation: ``division`` or ``multiplication``.
        seed: Of initialisation and splits.

    Returns:
        ``member``, ``step``, ``train_accuracy``, ``test_accuracy``, and of the quadratic network the participation ratio of its
        first layer with residues in the order of their logarithms, ``by_logarithm``, and in their own, ``by_residue``.

    Example:
        >>> table = grokking_division(arm="quadratic", modulus=7, width=10, steps=4, members=2, readings=2, seed=0)
        >>> table["step"]
        [0, 0, 2, 2, 4, 4]
    """
    chosen = ARMS[arm]
    quadratic = chosen.network == "quadratic"
    p, steps = (modulus, steps) if quadratic else (transformer_modulus, transformer_steps)
    part = (few if chosen.few else share) if quadratic else transformer_share
    form, pairs = "one-hot" if quadratic else "tokens", find("modular-arithmetic").function
    train, test = own_data(
        lambda own: pairs(modulus=p, operation=operation, share=part, form=form, seed=own), members, seed
    )
    common: dict[str, Any] = {"optimizer": "adamw", "betas": (0.9, 0.98), "batch_size": None, "steps": steps}
    if quadratic:
        made, settings = find("quadratic-modular").function, {"modulus": p, "width": width}
        recipe = Recipe(**common, lr=0.01, weight_decay=5.0 if chosen.decay else 0.0, loss="squared-error")
        data = replace(train, y=torch.eye(p)[train.y])
    else:
        made = find("small-transformer").function
        settings = {"vocabulary": p + 1, "outputs": p, "width": transformer_width, "hidden": 4 * transformer_width}
        recipe = Recipe(**common, lr=0.001, weight_decay=1.0 if chosen.decay else 0.0, warmup=10)
        data = train
    columns: dict[str, list[Any]] = {}

    def on_record(step: int, now: Population) -> None:
        read: dict[str, list[Any]] = {"member": list(range(members)), "step": [step] * members}
        for name, examples in (("train", train), ("test", test)):
            read[f"{name}_accuracy"] = (1 - errors(now, examples.x, examples.y, x_per_member=True)).tolist()
        first = next(iter(now.parameters.values()))
        orders = {"by_logarithm": powers_of_a_root(p), "by_residue": torch.arange(1, p)}
        for name, order in orders.items():
            read[name] = waves(first, p, order).tolist() if quadratic else [float("nan")] * members
        for name, values in read.items():
            columns.setdefault(name, []).extend(values)

    population = Population.of(lambda: made(**settings), members, seed=seed)
    fit(population, data, recipe, seed=seed, at=range(0, steps + 1, max(1, steps // readings)), on_record=on_record)
    return columns


def waves(first: Tensor, modulus: int, order: Tensor) -> Tensor:
    """Mean participation ratio of the first layer's halves over the residues but 0.

    Args:
        first: ``[M, N, 2 p]``.
        modulus: p.
        order: In which the residues stand, ``[p - 1]``.

    Returns:
        ``[M]``.
    """
    halves = first.reshape(*first.shape[:2], 2, modulus)[..., order]
    return participation(halves).mean((1, 2))
