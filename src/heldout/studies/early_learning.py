"""Patterns are learned before noise: corrupted examples are first predicted by their true labels, and only later fitted."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.engine.training.outcomes import errors


def at_best(table: pd.DataFrame, column: str) -> list[float]:
    """A column at each seed's step of best test accuracy."""
    return [float(own[column].to_numpy()[own.test_accuracy.argmax()]) for _, own in table.groupby("member")]


def at_end(table: pd.DataFrame, column: str) -> list[float]:
    """A column at the last step, seed by seed."""
    return [float(own[column].to_numpy()[own.step.argmax()]) for _, own in table.groupby("member")]


def true_at_best(table: pd.DataFrame) -> list[float]:
    """Share of corrupted training examples predicted by their true class, at the step of best test accuracy."""
    return at_best(table, "corrupted_true")


def true_at_end(table: pd.DataFrame) -> list[float]:
    """The same at the end."""
    return at_end(table, "corrupted_true")


def fitted_at_end(table: pd.DataFrame) -> list[float]:
    """Share of corrupted training examples predicted by their wrong label, at the end."""
    return at_end(table, "corrupted_fitted")


def fitted_at_best(table: pd.DataFrame) -> list[float]:
    """The same at the step of best test accuracy."""
    return at_best(table, "corrupted_fitted")


def won_by_stopping(table: pd.DataFrame) -> list[float]:
    """Best test accuracy over training minus that at the end."""
    return list(np.subtract(at_best(table, "test_accuracy"), at_end(table, "test_accuracy")))


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds along training."""
    labels = {"corrupted_true": "corrupted, predicted as what they are", "corrupted_fitted": "corrupted, predicted as labelled",
              "test_accuracy": "test accuracy"}  # fmt: skip
    means = (
        table[table.step > 0].groupby("step")[list(labels)].mean().rename(columns=labels).rename_axis("x").reset_index()
    )
    return means.melt("x", var_name="curve", value_name="y")


@study(
    source="Arpit et al. 2017, section 4; Liu et al. 2020, figure 1",
    sizes={
        "smoke": {"members": 4, "examples": 300, "width": 128, "noise": 0.4, "epochs": 200},
        "laptop": {"members": 5, "examples": 1000, "width": 256, "noise": 0.4, "epochs": 150},
        "paper": {"members": 10, "examples": 1297, "width": 512, "noise": 0.4, "epochs": 500},
    },
    drawn=drawn,
    axes={"x": "step", "y": "share", "log_x": True},
    claims=(
        Claim(
            "Before noise is fitted, most corrupted training examples are predicted as what they truly are.",
            "Arpit et al. 2017, section 4; Liu et al. 2020, figure 1", true_at_best, bar=0.5, control=true_at_end,
        ),
        Claim(
            "In the end the wrong labels are fitted.",
            "Zhang et al. 2017, section 2", fitted_at_end, bar=0.5, control=fitted_at_best,
        ),
        Claim("Stopping early is worth many points of accuracy.", "Arpit et al. 2017, section 4", won_by_stopping, bar=0.1),
    ),
)  # fmt: skip
def early_learning(
    *, members: int, examples: int, width: int, noise: float, epochs: int, data: Any = None, seed: int
) -> dict[str, Any]:
    """Are patterns learned before noise?

    Digits with a share of the labels drawn anew; a dense network of two hidden layers under Adam. An example is corrupted where
    its label really changed.

    Args:
        members: Seeds, each with its own noise.
        examples: Of the training set.
        width: Of the hidden layers.
        noise: Share of the labels that are drawn anew.
        epochs: Of training.
        data: Your own ``((x, y), (x_test, y_test))``.
        seed: Of everything.

    Returns:
        A row a seed and recorded step: member, step, corrupted_true, corrupted_fitted, test_accuracy.

    Example:
        >>> rows = early_learning(members=2, examples=60, width=16, noise=0.4, epochs=2, seed=0)
        >>> sorted(rows)
        ['corrupted_fitted', 'corrupted_true', 'member', 'step', 'test_accuracy']
    """
    (x, y), (x_test, y_test) = data if data is not None else find("digits").function(train_size=examples, seed=seed)
    batch = min(100, len(y))
    steps = epochs * (len(y) // batch)
    recipe = Recipe(optimizer="adam", lr=1e-3, batch_size=batch, steps=steps, label_noise=noise)
    rows: list[dict[str, Any]] = []
    kept: list[tuple[int, torch.Tensor, torch.Tensor]] = []
    inputs, classes = int(x[0].numel()), int(y.max()) + 1

    def record(step: int, now: Population) -> None:
        kept.append((step, now(x).argmax(-1), 1 - errors(now, x_test, y_test)))

    marks = sorted({int(mark) for mark in np.geomspace(1, steps, 40)})
    population = Population.of(
        lambda: find("dense").function(inputs=inputs, widths=(width, width), outputs=classes), members, seed=seed
    )
    fitted = fit(population, (x, y), recipe, seed=seed, at=marks, on_record=record)
    labels = fitted.train.labels(members)
    corrupted = labels != y
    for step, predicted, accuracy in kept:
        rows += [
            {
                "member": member,
                "step": step,
                "corrupted_true": float((predicted[member] == y)[corrupted[member]].double().mean()),
                "corrupted_fitted": float((predicted[member] == labels[member])[corrupted[member]].double().mean()),
                "test_accuracy": float(accuracy[member]),
            }
            for member in range(members)
        ]
    return {key: [row[key] for row in rows] for key in rows[0]}
