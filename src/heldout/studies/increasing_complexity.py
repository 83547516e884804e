"""SGD learns functions of increasing complexity: what a linear classifier explains first, and keeps it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.mutual_information import (
    conditional_mutual_information,
    explained_information,
    mutual_information,
)
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit


def at_the_linear_level(rows: pd.DataFrame) -> pd.Series:
    """The first reading at which the network says nine tenths of what the linear classifier says of the labels."""
    rows = rows.sort_values("step")
    reached = rows.information >= 0.9 * rows.linear_information
    return rows[reached].iloc[0] if reached.any() else rows.iloc[-1] * np.nan


def share_early(table: pd.DataFrame) -> list[float]:
    """Share of the network's information that the linear classifier explains, when it has reached nine tenths of the latter's."""
    first = [at_the_linear_level(rows) for _, rows in table.groupby("member")]
    return [float(row.explained / row.information) for row in first]


def last(table: pd.DataFrame) -> pd.DataFrame:
    """The last reading of every member."""
    return table[table.step == table.step.max()].sort_values("member")


def share_late(table: pd.DataFrame) -> list[float]:
    """The same at the end of training."""
    return list(last(table).explained / last(table).information)


def kept(table: pd.DataFrame) -> list[float]:
    """Explained information at the end of training over that of the linear classifier with the labels."""
    return list(last(table).explained / last(table).linear_information)


def kept_at_initialisation(table: pd.DataFrame) -> list[float]:
    """The same before training."""
    start = table[table.step == table.step.min()].sort_values("member")
    return list(start.explained / start.linear_information)


def gained(table: pd.DataFrame) -> list[float]:
    """Information beyond the linear classifier at the end of training over that of the linear classifier."""
    return list(last(table).beyond / last(table).linear_information)


def gained_early(table: pd.DataFrame) -> list[float]:
    """The same when the network has reached nine tenths of the linear classifier's information."""
    first = [at_the_linear_level(rows) for _, rows in table.groupby("member")]
    return [float(row.beyond / row.linear_information) for row in first]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """The three informations by step, means and extremes over members, beside the linear classifier's."""
    names = {
        "information": "I(F; Y)",
        "explained": "explained by the linear classifier",
        "beyond": "I(F; Y | L)",
        "linear_information": "I(L; Y)",
    }
    long = table[table.step > 0].rename(columns=names).melt(["step", "member"], list(names.values()), "curve")
    rows = long.groupby(["step", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    return rows.rename(columns={"step": "x"})


@study(
    source="Kalimeris et al. 2019, sections 2 and 3",
    drawn=curves,
    axes={"x": "steps", "y": "bits on test data", "log_x": True},
    sizes={
        "smoke": {"train_size": 4000, "test_size": 3000, "width": 64, "steps": 1800, "lr": 0.1, "readings": 25, "members": 5},
        "laptop": {"train_size": 12000, "test_size": 12000, "width": 200, "steps": 20000, "members": 5},
        "paper": {"train_size": 60000, "test_size": 10000, "width": 512, "depth": 4, "steps": 100000, "lr": 0.01,
                  "members": 10},
    },
    claims=(
        Claim(
            "While a network reaches the linear classifier's performance, nearly all that it says is what that explains.",
            "Kalimeris et al. 2019, section 3 (claim 1) and figure 1",
            share_early, bar=0.55, control=share_late,
        ),
        Claim(
            "What the linear classifier explains is kept to the end.",
            "Kalimeris et al. 2019, section 3 (claim 3) and figure 1",
            kept, bar=0.35, control=kept_at_initialisation,
        ),
        Claim(
            "Later the network gains what the linear classifier does not explain.",
            "Kalimeris et al. 2019, section 3 (claim 2) and figure 1",
            gained, bar=0.75, control=gained_early,
        ),
    ),
)  # fmt: skip
def increasing_complexity(
    *, train_size: int, test_size: int, width: int, steps: int, members: int, depth: int = 2, lr: float = 0.02,
    batch_size: int = 32, readings: int = 40, data: Any = None, network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does SGD first learn what a linear classifier explains, and keep it while it learns more?

    MNIST-1D, digits below five against the others; SGD without momentum. L is logistic regression fitted to the same examples.
    With F, L and the labels Y in bits of plug-in information on test data, ``mu_Y(F; L) = I(F; Y) - I(F; Y | L)`` is the part of
    what the network says that L explains.

    Args:
        train_size: Training examples.
        test_size: Test examples.
        width: Of the hidden layers.
        steps: Of SGD.
        members: Initialisations and orders of examples.
        depth: Hidden layers.
        lr: Of SGD.
        batch_size: Examples a step.
        readings: Steps that are recorded, at equal ratios.
        data: Your own ``((x, y), (x_test, y_test))`` with labels 0 and 1.
        network: Your own factory, of two outputs.
        seed: Of initialisation and order.

    Returns:
        ``member``, ``step``, ``information`` I(F; Y), ``explained`` mu_Y(F; L), ``beyond`` I(F; Y | L), ``linear_information``
        I(L; Y) and test ``accuracy``.

    Example:
        >>> table = increasing_complexity(train_size=200, test_size=100, width=8, steps=10, members=2, readings=3, seed=0)
        >>> sorted(set(table["step"])), len(set(table["linear_information"]))
        ([0, 1, 3, 10], 1)
    """
    (x, y), (x_test, y_test) = data or _small_against_large(train_size, test_size)
    dense, inputs = find("dense").function, x[0].numel()
    make = network or (lambda: dense(inputs=inputs, widths=(width,) * depth, outputs=2))
    labels, linear = y_test.numpy(), linear_predictions((x, y), x_test)
    rows: list[dict[str, Any]] = []

    def record(step: int, now: Population) -> None:
        said = now(x_test).argmax(-1).numpy()
        found = {
            "information": mutual_information(said, labels),
            "explained": explained_information(said, labels, linear),
            "beyond": conditional_mutual_information(said, labels, linear),
            "accuracy": (said == labels).mean(1),
        }
        for member in range(members):
            rows.append({"member": member, "step": step, **{name: float(v[member]) for name, v in found.items()}})

    at = np.unique(np.geomspace(1, steps, readings).round().astype(int)).tolist()
    recipe = Recipe(lr=lr, momentum=0.0, batch_size=batch_size, steps=steps)
    fit(Population.of(make, members, seed=seed), (x, y), recipe, seed=seed, at=[0, *at], on_record=record)
    columns: dict[str, Any] = {column: [row[column] for row in rows] for column in rows[0]}
    return {**columns, "linear_information": [float(mutual_information(linear, labels))] * len(rows)}


def linear_predictions(train: tuple[Tensor, Tensor], x_test: Tensor) -> np.ndarray:
    """Classes that logistic regression predicts.

    Args:
        train: Inputs and labels 0 and 1.
        x_test: Inputs.

    Returns:
        ``[N]``.
    """
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(max_iter=2000).fit(train[0].flatten(1).double().numpy(), train[1].numpy())
    return np.asarray(classifier.predict(x_test.flatten(1).double().numpy()))


def _small_against_large(train_size: int, test_size: int) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    (x, y), (x_test, y_test) = find("one-dimensional-digits").function(train_size=train_size, test_size=test_size)
    return (x, (y < 5).to(torch.int64)), (x_test, (y_test < 5).to(torch.int64))
