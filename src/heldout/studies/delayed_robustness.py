"""Local complexity under training, and whether robustness comes late."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.func import grad

from heldout.catalog import Claim, find, study
from heldout.engine.evidence.neighbourhoods import orthonormal, sign_changes
from heldout.engine.population import Population, stream
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject.losses import cross_entropy
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

WHERE = ("train", "test", "random")


def _members(table: pd.DataFrame) -> list[pd.DataFrame]:
    return [own.sort_values("step") for _, own in table.groupby("member")]


def rise_around_training_points(table: pd.DataFrame) -> list[float]:
    """Log ratio of the largest local complexity around training points to that at initialisation."""
    return [float(np.log(own.train_complexity.max() / own.train_complexity.iloc[0])) for own in _members(table)]


def rise_around_random_points(table: pd.DataFrame) -> list[float]:
    """The same around random points."""
    return [float(np.log(own.random_complexity.max() / own.random_complexity.iloc[0])) for own in _members(table)]


def fall_around_training_points(table: pd.DataFrame) -> list[float]:
    """Log ratio of the largest local complexity around training points to the last."""
    return [float(np.log(own.train_complexity.max() / own.train_complexity.iloc[-1])) for own in _members(table)]


def fall_around_random_points(table: pd.DataFrame) -> list[float]:
    """The same around random points."""
    return [float(np.log(own.random_complexity.max() / own.random_complexity.iloc[-1])) for own in _members(table)]


def robustness_gained_late(table: pd.DataFrame) -> list[float]:
    """Final accuracy under attack minus that when test accuracy first came within 0.01 of its last value."""
    gained = []
    for own in _members(table):
        settled = own[own.test_accuracy >= own.test_accuracy.iloc[-1] - 0.01].iloc[0]
        gained.append(float(own.attacked_accuracy.iloc[-1] - settled.attacked_accuracy))
    return gained


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Local complexities in one panel, accuracies in the other."""
    panels = {
        "local complexity": {f"{where}_complexity": f"{where} points" for where in WHERE},
        "accuracy": {"train_accuracy": "training", "test_accuracy": "test", "attacked_accuracy": "test, attacked"},
    }
    parts = []
    for panel, names in panels.items():
        long = table[table.step > 0].rename(columns=names).melt(["step", "member"], list(names.values()), "curve")
        rows = long.groupby(["step", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
        parts.append(rows.rename(columns={"step": "x"}).assign(panel=panel))
    return pd.concat(parts)


GRID = {"train_size": 200, "widths": (200, 200, 200), "radius": 0.005}


@study(
    source="Humayun, Balestriero and Baraniuk 2024 (deep networks always grok), on digits instead of MNIST",
    drawn=curves,
    axes={"x": "steps", "y": "", "log_x": True},
    sizes={
        "smoke": {**GRID, "widths": (100, 100, 100), "steps": 2500, "members": 4, "readings": 10, "tested": 200, "points": 200},
        "laptop": {**GRID, "steps": 15000, "members": 3},
        "paper": {**GRID, "train_size": 1000, "steps": 100000, "members": 5},
    },
    claims=(
        Claim(
            "Around training points local complexity first rises.",
            "Humayun et al. 2024, section 3.2 and figure 1 (ascent)",
            rise_around_training_points, bar=0.6, control=rise_around_random_points,
        ),
        Claim(
            "Then it falls: linear regions migrate away from the training points.",
            "Humayun et al. 2024, section 3.2 (second descent, region migration)",
            fall_around_training_points, bar=0.7, control=fall_around_random_points,
        ),
        Claim(
            "Robustness to attacks comes long after test accuracy has settled.",
            "Humayun et al. 2024, section 2 and figure 1 (delayed robustness)",
            robustness_gained_late, bar=0.1,
        ),
    ),
    notes="Delayed robustness was looked for on digits and not seen: accuracy under attack settles with test accuracy. The "
    "paper's runs are 10^5 steps on MNIST and more on CIFAR-10.",
)  # fmt: skip
def delayed_robustness(
    *, train_size: int, widths: tuple[int, ...], steps: int, members: int, radius: float = 0.005, attack: float = 0.1,
    directions: int = 12, points: int = 100, lr: float = 0.001, weight_decay: float = 0.01, readings: int = 20,
    tested: int = 500, batch_norm: bool = False, data: Any = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does local complexity around training points rise and then fall, and does robustness come with the fall?

    ReLU networks on digits, squared error to one-hot labels, AdamW on the whole training set. Local complexity: ReLU units that
    change sign among x + r d and x - r d, d random orthonormal. Attack: projected gradient ascent of the cross-entropy, 10
    steps of a quarter of the allowed change in every pixel.

    Args:
        train_size: Training examples, drawn anew for every member.
        widths: Of the hidden layers.
        steps: Full-batch steps.
        members: Initialisations.
        radius: r.
        attack: Largest change of a pixel.
        directions: How many d.
        points: Points of each kind; random ones are uniform in the unit cube.
        lr: Of AdamW.
        weight_decay: Of AdamW.
        readings: How many, at equal ratios of steps, besides that at initialisation.
        tested: Test examples that are looked at.
        batch_norm: Whether the network has batch norms, which are said to remove the phenomenon.
        data: Your own ``((x, y), (x_test, y_test))`` with classes y, the same for all members.
        seed: Of initialisation, data, directions and random points.

    Returns:
        ``member``, ``step``, accuracies ``train_accuracy``, ``test_accuracy``, ``attacked_accuracy``, and ``train_complexity``,
        ``test_complexity``, ``random_complexity``.

    Example:
        >>> table = delayed_robustness(train_size=50, widths=(8,), steps=4, members=2, points=5, readings=2, seed=0)
        >>> sorted(set(table["step"]))
        [0, 2, 4]
    """
    digits = find("digits").function
    train, test = own_data(
        (lambda _: data) if data else (lambda own: digits(train_size=train_size, seed=own)), members, seed
    )
    entries, classes = train.x[0, 0].numel(), int(max(train.y.max(), test.y.max())) + 1
    dense = find("dense").function
    population = Population.of(
        lambda: dense(inputs=entries, widths=widths, outputs=classes, batch_norm=batch_norm), members, seed=seed
    )
    uniform = torch.rand(members, points, *train.x.shape[2:], generator=stream(seed, "random points"))
    places = dict(zip(WHERE, (train.x[:, :points], test.x[:, :points], uniform), strict=True))
    seen = test.take(slice(0, tested))
    axes = orthonormal(entries, directions, seed)
    columns: dict[str, list[Any]] = {}

    def on_record(step: int, now: Population) -> None:
        read: dict[str, list[Any]] = {"member": list(range(members)), "step": [step] * members}
        attacked = adversarial(now, seen.x, seen.y, attack)
        for name, x, y in (("train", train.x, train.y), ("test", seen.x, seen.y), ("attacked", attacked, seen.y)):
            read[f"{name}_accuracy"] = (1 - errors(now, x, y, x_per_member=True)).tolist()
        for name, x in places.items():
            read[f"{name}_complexity"] = sign_changes(now, x, axes, radius, per_member=True).mean(1).tolist()
        for name, values in read.items():
            columns.setdefault(name, []).extend(values)

    recipe = Recipe(
        optimizer="adamw", lr=lr, weight_decay=weight_decay, batch_size=None, steps=steps, loss="squared-error"
    )
    targets = torch.eye(classes)[train.y]
    at = {0, *np.geomspace(2, steps, readings).round().astype(int).tolist()}
    fit(population, replace(train, y=targets), recipe, seed=seed, at=at, on_record=on_record)
    return columns


def adversarial(population: Population, x: Tensor, y: Tensor, most: float, steps: int = 10) -> Tensor:
    """Inputs in [0, 1] changed against each member, within a cube around the given ones.

    Args:
        population: The networks, with outputs ``[N, C]``.
        x: ``[M, N, ...]``.
        y: Classes ``[M, N]``.
        most: Largest change of an entry.
        steps: Of a quarter of it.

    Returns:
        ``[M, N, ...]``.
    """

    def objective(x: Tensor, parameters: dict[str, Tensor], buffers: dict[str, Tensor], y: Tensor) -> Tensor:
        return cross_entropy(population.call_one(parameters, buffers, x), y).sum()

    uphill, moved = torch.vmap(grad(objective)), x
    for _ in range(steps):
        with vectorisable_kernels():
            slope = uphill(moved, population.parameters, population.buffers, y)
        moved = (moved + most / 4 * slope.sign()).clamp(x - most, x + most).clamp(0, 1)
    return moved
