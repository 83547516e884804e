"""The large-batch gap: fewer updates, not larger batches, generalise worse; how far weights go as updates pass."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Intervention, Recipe, errors, fit

#: Arms in the order of the ladder: each adds to the one before it, from ``large`` on.
ARMS = ["small", "large", "rate", "ghost", "regime"]
WORDS = {
    "small": "small batch",
    "large": "large batch",
    "rate": "+ larger learning rate",
    "ghost": "+ ghost batch norm",
    "regime": "+ as many updates",
}


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Final test accuracy, a row a member and a column an arm; nothing where an arm was not run."""
    last = table[table.step == table.groupby("arm").step.transform("max")]
    return last.pivot(index="member", columns="arm", values="test_accuracy").reindex(columns=ARMS)


def gap_of(table: pd.DataFrame, arm: str) -> list[float]:
    """Final test accuracy of the small batch minus that of an arm."""
    found = accuracies(table)
    return list(found["small"] - found[arm])


def gap_of_large_batches(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with small batches minus that with large ones after as many epochs."""
    return gap_of(table, "large")


def gap_after_adaptation(table: pd.DataFrame) -> list[float]:
    """Final test accuracy with small batches minus that with large ones after as many updates, rate and ghosts adapted."""
    return gap_of(table, "regime")


def gain_of(table: pd.DataFrame, arm: str) -> list[float]:
    """Final test accuracy of an arm minus that of the one before it."""
    found = accuracies(table)
    return list(found[arm] - found[ARMS[ARMS.index(arm) - 1]])


def gain_of_the_rate(table: pd.DataFrame) -> list[float]:
    """Test accuracy gained by the learning rate times the root of the ratio of batch sizes."""
    return gain_of(table, "rate")


def gain_of_ghosts(table: pd.DataFrame) -> list[float]:
    """Test accuracy gained by ghost batch norm on top of it."""
    return gain_of(table, "ghost")


def gain_of_updates(table: pd.DataFrame) -> list[float]:
    """Test accuracy gained by as many updates as small batches take, on top of both."""
    return gain_of(table, "regime")


def fit_of(rows: pd.DataFrame, law: Callable[[np.ndarray], np.ndarray]) -> float:
    """Share of the variance of the distance that a straight line in a function of the step explains (R squared)."""
    kept = rows[(rows.step > 0) & (rows.step <= rows.first_drop)]
    return float(np.corrcoef(law(kept.step.to_numpy(float)), kept.distance.to_numpy(float))[0, 1] ** 2)


def logarithm_against_root(table: pd.DataFrame) -> list[float]:
    """R squared of distance from initialisation on the log of the step minus that on its root, before the rate drops."""
    rows = table[table.arm == "small"]
    return [fit_of(own, np.log) - fit_of(own, np.sqrt) for _, own in rows.groupby("member")]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy and distance by step, means and extremes over members, one curve an arm."""
    names = {"test_accuracy": "test accuracy", "share": "distance from initialisation, share of the largest"}
    shares = table.assign(share=table.distance / table.distance.max())
    long = shares[shares.step > 0].rename(columns=names).melt(["arm", "step", "member"], list(names.values()), "panel")
    rows = long.groupby(["arm", "step", "panel"]).value.agg(y="mean", low="min", high="max").reset_index()
    return rows.assign(x=rows.step, curve=rows.arm.map(WORDS))[["x", "y", "low", "high", "curve", "panel"]]


@study(
    source="Hoffer, Hubara and Soudry 2017, sections 3 to 5 and table 1",
    drawn=curves,
    axes={"x": "updates", "y": "", "log_x": True},
    sizes={
        "smoke": {"arm": ARMS[:-1], "train_size": 4000, "width": 100, "depth": 2, "small": 40, "large": 1000, "epochs": 16,
                  "members": 4},
        "laptop": {"arm": ARMS, "train_size": 4000, "width": 128, "depth": 3, "small": 40, "large": 1000, "epochs": 40,
                   "members": 5},
        "paper": {"arm": ARMS, "train_size": 60000, "width": 512, "depth": 5, "small": 128, "large": 4096, "epochs": 50,
                  "members": 5},
    },
    claims=(
        Claim(
            "After as many epochs large batches generalise worse.",
            "Keskar et al. 2017; Hoffer et al. 2017, table 1 (SB, LB)",
            gap_of_large_batches, bar=0.04,
        ),
        Claim(
            "The learning rate times the root of the ratio of batch sizes recovers part of the gap.",
            "Hoffer et al. 2017, section 4.1 and table 1 (+LR)",
            gain_of_the_rate, bar=0.0,
        ),
        Claim(
            "Ghost batch norm recovers more of it.",
            "Hoffer et al. 2017, section 4.2 and table 1 (+GBN)",
            gain_of_ghosts, bar=0.0,
        ),
        Claim(
            "As many updates recover more of it again.",
            "Hoffer et al. 2017, section 5 and table 1 (+RA)",
            gain_of_updates, bar=0.0,
        ),
        Claim(
            "With all three, after as many updates, there is no gap.",
            "Hoffer et al. 2017, section 5 and table 1 (SB, +RA)",
            gap_after_adaptation, bar=0.04, above=False, control=gap_of_large_batches,
        ),
        Claim(
            "Before the rate first drops the distance from initialisation grows like the logarithm of time, not its root.",
            "Hoffer et al. 2017, section 3 and figure 2",
            logarithm_against_root, bar=0.0,
        ),
    ),
    notes="The small grid leaves the arm with as many updates out. Ghost batch norm helps only where updates are many enough: "
    "with 64 of them it costs accuracy. Distances follow the root of the step as well as its logarithm or better at this scale: "
    "over so few decades of steps the two are hard to tell apart.",
)  # fmt: skip
def large_batch_gap(
    *, arm: str, train_size: int, width: int, depth: int, small: int, large: int, epochs: int, members: int,
    lr: float = 0.1, weight_decay: float = 1e-4, readings: int = 24, data: Any = None,
    network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Do large batches generalise worse, or do they only take too few updates?

    MNIST-1D, a ReLU network with batch norm, SGD with momentum 0.9; the rate falls tenfold at 50 % and at 80 % of the training.
    Arms, each with what the one before has: ``small`` batches b; ``large`` batches B for as many epochs; ``rate``, the learning
    rate times sqrt(B / b); ``ghost``, batch norm over ghost batches of b; ``regime``, as many updates as ``small`` takes
    (B / b times the epochs). All arms share initialisations. No gradient is clipped.

    Args:
        arm: One of these.
        train_size: Training examples.
        width: Of the hidden layers.
        depth: How many.
        small: b, also the size of ghost batches.
        large: B, a multiple of b.
        epochs: Of all arms but the last.
        members: Initialisations and orders of examples.
        lr: Learning rate of small batches.
        weight_decay: Of SGD.
        readings: Steps that are recorded, at equal ratios.
        data: Your own ``((x, y), (x_test, y_test))``.
        network: Your own factory, with batch norm.
        seed: Of initialisation and order.

    Returns:
        ``member``, ``step``, ``test_accuracy``, ``distance`` (Euclidean, of all parameters from their initial values) and
        ``first_drop``, the step at which the rate first falls.

    Example:
        >>> table = large_batch_gap(arm="ghost", train_size=60, width=8, depth=1, small=10, large=20, epochs=2, members=2, seed=0)
        >>> sorted(set(table["step"]))
        [0, 1, 2, 3, 4, 5, 6]
    """
    (x, y), test = data or find("one-dimensional-digits").function(train_size=train_size)
    held_out = as_examples(test, "test")
    dense = find("dense").function
    inputs, classes = x[0].numel(), int(y.max()) + 1
    make = network or (lambda: dense(inputs=inputs, widths=(width,) * depth, outputs=classes, batch_norm=True))
    population = Population.of(make, members, seed=seed)
    recipe = recipe_of(arm, len(y), small, large, epochs, lr, weight_decay)
    rows: list[dict[str, Any]] = []

    def record(step: int, now: Population) -> None:
        wrong, far = errors(now, held_out.x, held_out.y), distance(now, population)
        for member in range(members):
            rows.append({
                "member": member, "step": step, "test_accuracy": 1 - float(wrong[member]), "distance": float(far[member]),
                "first_drop": recipe.milestones[0],
            })  # fmt: skip

    at = np.unique(np.geomspace(1, recipe.steps, readings).round().astype(int)).tolist()
    fit(population, (x, y), recipe, seed=seed, at=[0, *at], on_record=record)
    return {column: [row[column] for row in rows] for column in rows[0]}


def recipe_of(arm: str, examples: int, small: int, large: int, epochs: int, lr: float, weight_decay: float) -> Recipe:
    """How an arm is trained.

    Args:
        arm: One of :data:`ARMS`.
        examples: Of the training set.
        small: Small batch.
        large: Large batch.
        epochs: Of all arms but ``regime``.
        lr: Of small batches.
        weight_decay: Of SGD.

    Returns:
        The recipe.
    """
    batch = small if arm == "small" else large
    steps = epochs * (examples // (small if arm in ("small", "regime") else large))
    pieces: tuple[Intervention, ...] = (
        (find("ghost-batch-norm").function(size=small),) if arm in ("ghost", "regime") else ()
    )
    return Recipe(
        lr=lr if arm in ("small", "large") else lr * sqrt(large / small), weight_decay=weight_decay, batch_size=batch,
        steps=steps, schedule="step", milestones=(steps // 2, steps * 4 // 5), interventions=pieces,
    )  # fmt: skip


def distance(now: Population, then: Population) -> Tensor:
    """Euclidean distance of all parameters, raw as they are trained, ``[M]``."""
    squares = [
        (now.parameters[name] - then.parameters[name]).double().flatten(1).square().sum(1) for name in now.parameters
    ]
    return torch.stack(squares).sum(0).sqrt()
