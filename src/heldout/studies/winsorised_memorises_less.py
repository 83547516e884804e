"""Winsorised gradients learn what examples have in common and leave wrong labels alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Intervention, Plan, Recipe, errors, fit
from heldout.engine.training.fit import prepared
from heldout.records import Refusal

WORDS = {"plain": "plain SGD", "winsorised": "winsorised gradients", "rm3": "median of three"}
ARMS = list(WORDS)


def final(table: pd.DataFrame, arm: str, column: str, noise: float) -> np.ndarray:
    """A column after the last step, one value a member."""
    rows = table[(table.arm == arm) & (table.noise == noise)]
    return np.asarray(rows[rows.step == table.step.max()].sort_values("member")[column])


def gain(table: pd.DataFrame, arm: str, column: str, noise: float) -> list[float]:
    """A column of an arm minus that of plain SGD, after the last step."""
    return list(final(table, arm, column, noise) - final(table, "plain", column, noise))


def accuracy_gained(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with winsorised gradients minus that with plain SGD, noisy labels."""
    return gain(table, "winsorised", "test_accuracy", table.noise.max())


def accuracy_gained_without_noise(table: pd.DataFrame) -> list[float]:
    """The same with clean labels."""
    return gain(table, "winsorised", "test_accuracy", 0.0)


def memorised_less(table: pd.DataFrame) -> list[float]:
    """Share of the wrong labels that plain SGD fits in the end minus the share that winsorised gradients fit."""
    return list(-np.array(gain(table, "winsorised", "fitted_wrong", table.noise.max())))


def memorised_less_by_median(table: pd.DataFrame) -> list[float]:
    """Share of the wrong labels that plain SGD fits in the end minus the share that the median of three fits."""
    return list(-np.array(gain(table, "rm3", "fitted_wrong", table.noise.max())))


def accuracy_gained_by_median(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with the median of three gradients minus that with plain SGD, noisy labels."""
    return gain(table, "rm3", "test_accuracy", table.noise.max())


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on training labels and on test data by step, means and extremes over members, one panel a data set."""
    names = {"train_accuracy": "training", "test_accuracy": "test", "fitted_wrong": "wrong labels fitted"}
    long = table[table.step > 0].rename(columns=names).melt(["arm", "noise", "step", "member"], list(names.values()))
    grouped = long.dropna().groupby(["arm", "noise", "step", "variable"])
    rows = grouped.value.agg(y="mean", low="min", high="max").reset_index()
    panels = [f"{v}, {n:.0%} random labels" for v, n in zip(rows.variable, rows.noise, strict=True)]
    return rows.assign(x=rows.step, curve=rows.arm.map(WORDS), panel=panels)[
        ["x", "y", "low", "high", "curve", "panel"]
    ]


@study(
    source="Chatterjee 2020, section 4 (winsorised gradients); Chatterjee and Zielinski 2020, section 5 (medians)",
    drawn=curves,
    axes={"x": "steps", "y": "accuracy, or share", "log_x": True},
    sizes={
        "smoke": {"noise": [0.0, 0.5], "arm": ARMS, "train_size": 250, "width": 32, "lr": 0.3, "steps": 700,
                  "members": 5},
        "laptop": {"noise": [0.0, 0.5], "arm": ARMS, "train_size": 1000, "width": 64, "lr": 0.3, "steps": 3000,
                   "members": 5},
        "paper": {"noise": [0.0, 0.25, 0.5, 0.75, 1.0], "arm": ARMS, "train_size": 1500, "width": 512, "level": 8,
                  "batch_size": 99, "steps": 10000, "members": 5},
    },
    claims=(
        Claim(
            "Winsorised gradients fit fewer of the wrong labels than SGD.",
            "Chatterjee 2020, section 4 and figure 3",
            memorised_less, bar=0.25,
        ),
        Claim(
            "With wrong labels about they generalise better than SGD; with clean labels there is nothing to gain.",
            "Chatterjee 2020, section 4 and figure 3",
            accuracy_gained, bar=0.05, control=accuracy_gained_without_noise,
        ),
        Claim(
            "The median of three gradients fits fewer of the wrong labels too, at a fraction of the cost.",
            "Chatterjee and Zielinski 2020, section 5 (M3, RM3)",
            memorised_less_by_median, bar=0.25,
        ),
        Claim(
            "It generalises better than SGD where labels are wrong.",
            "Chatterjee and Zielinski 2020, section 5 (M3, RM3)",
            accuracy_gained_by_median, bar=0.05,
        ),
    ),
    notes="Medians here are of thirds of one batch; those of the paper roll over successive batches. With three gradients a wrong "
    "label still moves the median wherever the other two disagree. At a rate of 0.1 plain SGD itself had fitted only a quarter of "
    "the wrong labels after 3,000 steps, so that there was little to prevent; the rate here lets it fit most of them.",
)  # fmt: skip
def winsorised_memorises_less(
    *, arm: str, noise: float, train_size: int, width: int, steps: int, members: int, level: int = 4, batch_size: int = 48,
    lr: float = 0.1, readings: int = 16, data: Any = None, network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Do networks memorise less if no few examples can steer a step?

    Digits, a ReLU network of two hidden layers, plain SGD. Arms: ``plain``; ``winsorised``, each coordinate of the batch's
    gradients is clipped to its (c+1)-th smallest and largest value before they are averaged; ``rm3``, the coordinate-wise
    median of the gradients of three thirds of the batch. A wrong label is one that was drawn anew and differs from the true
    one. All arms share initialisations, labels and orders of examples.

    Args:
        arm: One of these.
        noise: Share of training labels drawn anew, uniformly.
        train_size: Training examples.
        width: Of both hidden layers.
        steps: Of SGD.
        members: Initialisations, orders and draws of labels.
        level: c.
        batch_size: Examples a step, a multiple of 3.
        lr: Learning rate.
        readings: Steps that are recorded, at equal ratios.
        data: Your own ``((x, y), (x_test, y_test))``.
        network: Your own factory.
        seed: Of initialisation, order and labels.

    Returns:
        ``member``, ``step``, ``train_accuracy`` (on the labels as they were trained on), ``fitted_wrong`` (share of the wrong
        labels that are predicted; NaN where there is none), ``test_accuracy``.

    Example:
        >>> settings = {"train_size": 60, "width": 8, "steps": 2, "members": 2}
        >>> table = winsorised_memorises_less(arm="rm3", noise=0.5, **settings, seed=0)
        >>> table["step"]
        [0, 0, 1, 1, 2, 2]
    """
    (x, y), test = data or find("digits").function(train_size=train_size)
    held_out = as_examples(test, "data")
    inputs, classes = x[0].numel(), int(y.max()) + 1
    make = network or (lambda: find("dense").function(inputs=inputs, widths=(width, width), outputs=classes))
    population = Population.of(make, members, seed=seed)
    recipe = Recipe(
        lr=lr, momentum=0.0, batch_size=batch_size, steps=steps, label_noise=noise, interventions=pieces_of(arm, level)
    )
    seen, _ = prepared(population, (x, y), recipe, seed, range(members))
    labels = seen.labels(members)
    wrong = labels != y
    rows: list[dict[str, Any]] = []

    def record(step: int, now: Population) -> None:
        fitted = now(seen.x).argmax(-1) == labels
        accuracies = fitted.double().mean(1), 1 - errors(now, held_out.x, held_out.y)
        memorised = (fitted & wrong).sum(1) / wrong.sum(1)
        for member in range(members):
            values = {"train_accuracy": accuracies[0], "fitted_wrong": memorised, "test_accuracy": accuracies[1]}
            rows.append({
                "member": member,
                "step": step,
                **{name: float(value[member]) for name, value in values.items()},
            })

    at = np.unique(np.geomspace(1, steps, readings).round().astype(int)).tolist()
    # the chooser would try to compile a step of many small selections, which takes longer than it saves
    plan = None if arm == "plain" else Plan(members, threads=torch.get_num_threads())
    fit(population, (x, y), recipe, seed=seed, at=[0, *at], on_record=record, plan=plan)
    return {column: [row[column] for row in rows] for column in rows[0]}


def pieces_of(arm: str, level: int) -> tuple[Intervention, ...]:
    """What an arm changes in training.

    Args:
        arm: As of the study.
        level: Of winsorising.

    Returns:
        At most one intervention.

    Raises:
        Refusal: If there is no such arm.
    """
    if arm not in WORDS:
        raise Refusal(given=f"arm was '{arm}'", expected=f"one of {', '.join(WORDS)}", do="pass arm='winsorised'")
    if arm == "plain":
        return ()
    return (find("rm3").function() if arm == "rm3" else find("winsorised-gradients").function(level=level),)
