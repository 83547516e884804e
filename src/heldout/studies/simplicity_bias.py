"""Extreme simplicity bias: a network leans on the simple feature alone where every feature would do."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
from scipy.stats import rankdata
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import Split, own_data

SHUFFLED = ("nothing", "simple", "others")
WORDS = {"linear": "linear and slabs", "uncertain": "uncertain linear and slabs", "none": "slabs alone"}


def read(table: pd.DataFrame, simple: str, shuffled: str, column: str) -> list[float]:
    """A column of an arm by member, with the most slabs of the grid."""
    arm = table[(table.simple == simple) & (table.shuffled == shuffled) & (table.slab == table.slab.max())]
    return list(arm.sort_values("member")[column])


def without_the_simple(table: pd.DataFrame) -> list[float]:
    """Area under the ROC curve on linear and slab coordinates when the linear one is exchanged at random between test examples."""
    return read(table, "linear", "simple", "area")


def without_the_others(table: pd.DataFrame) -> list[float]:
    """The same when all others are exchanged at random."""
    return read(table, "linear", "others", "area")


def slabs_alone(table: pd.DataFrame) -> list[float]:
    """Area under the ROC curve of networks trained on slab coordinates alone."""
    return read(table, "none", "nothing", "area")


def accuracy_beside_an_uncertain_line(table: pd.DataFrame) -> list[float]:
    """Test accuracy with slab coordinates beside a linear one that says nothing for a tenth of the examples."""
    return read(table, "uncertain", "nothing", "accuracy")


def accuracy_of_slabs_alone(table: pd.DataFrame) -> list[float]:
    """Test accuracy of networks trained on slab coordinates alone."""
    return read(table, "none", "nothing", "accuracy")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Area under the curve by what is exchanged between test examples, one panel a kind of data."""
    words = {"nothing": "nothing exchanged", "simple": "first coordinate exchanged", "others": "all others exchanged"}
    rows = table.groupby(["simple", "slab", "shuffled"]).area.agg(y="mean", low="min", high="max").reset_index()
    panel = [WORDS[kind] for kind in rows.simple]
    return rows.assign(x=rows.slab, panel=panel, curve=rows.shuffled.map(words))[
        ["x", "y", "low", "high", "curve", "panel"]
    ]


ARMS = ["linear", "uncertain", "none"]


@study(
    source="Shah et al. 2020, sections 4 and 5",
    drawn=curves,
    axes={"x": "slabs", "y": "area under the ROC curve"},
    sizes={
        "smoke": {"simple": ["linear", "none"],
                  "slab": 5, "dimension": 10, "train_size": 8000, "width": 40, "steps": 800, "members": 5},
        "laptop": {"simple": ARMS, "slab": [5, 7], "dimension": 20, "train_size": 40000, "width": 100, "steps": 6000,
                   "members": 4},
        "paper": {"simple": ARMS, "slab": [5, 7], "dimension": 50, "train_size": 100000, "width": 300, "steps": 40000,
                  "members": 5},
    },
    claims=(
        Claim(
            "Networks rely on the linear coordinate alone, though each of the others says the class without error too.",
            "Shah et al. 2020, section 4 (table 1, LMS-5)",
            without_the_simple, bar=0.75, above=False, control=without_the_others,
        ),
        Claim(
            "The coordinates that they leave aside are learnable.",
            "Shah et al. 2020, section 4 and appendix C",
            slabs_alone, bar=0.75, control=without_the_simple,
        ),
        Claim(
            "Where the linear coordinate says nothing for a tenth of the examples, test accuracy stays at 95 %, though slabs alone "
            "give 100 %.",
            "Shah et al. 2020, section 5 (noisy LMS-7)",
            accuracy_beside_an_uncertain_line, bar=0.97, above=False, control=accuracy_of_slabs_alone,
        ),
    ),
)  # fmt: skip
def simplicity_bias(
    *, simple: str, slab: int, dimension: int, train_size: int, width: int, steps: int, members: int, depth: int = 2,
    lr: float = 0.1, momentum: float = 0.9, weight_decay: float = 5e-5, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does a network use all features that predict, or only the simplest one?

    Slab data (``heldout.explain("slabs")``): every coordinate says the class without error, one by a line, the others by k slabs;
    rotated at random. After training, coordinates of the test examples are exchanged between examples, in the space before
    rotation: the first alone, or each of the others. A feature that carries the prediction takes the area under the ROC curve to
    1/2 with it.

    Args:
        simple: ``linear``, ``uncertain`` (10 % of the examples within the margin, whatever their class) or ``none``.
        slab: k.
        dimension: Coordinates.
        train_size: Training examples.
        width: Of the hidden layers.
        steps: Of SGD, batches of 256.
        members: Draws of data and initialisation.
        depth: Hidden layers.
        lr: Of SGD.
        momentum: Of SGD.
        weight_decay: Of SGD.
        seed: Of everything.

    Returns:
        ``member``, ``shuffled`` (nothing, simple or others), ``area`` under the ROC curve, ``accuracy``, and ``train_accuracy``.

    Example:
        >>> table = simplicity_bias(
        ...     simple="linear", slab=5, dimension=5, train_size=600, width=20, steps=150, members=1, seed=0
        ... )
        >>> [round(value, 1) for value in table["area"]]  # as it is; without the linear coordinate; without the others
        [1.0, 0.5, 1.0]
    """
    dense = find("dense").function
    make = partial(find("slabs").function, train_size=train_size, dimension=dimension, simple=simple, slab=slab)
    train, _ = own_data(lambda own: make(seed=own), members, seed)
    population = Population.of(lambda: dense(inputs=dimension, widths=(width,) * depth, outputs=2), members, seed=seed)
    recipe = Recipe(lr=lr, momentum=momentum, weight_decay=weight_decay, batch_size=256, steps=steps)
    final = fit(population, train, recipe, seed=seed).final
    fitted = (1 - errors(final, train.x, train.y, x_per_member=True)).tolist()
    columns: dict[str, list[Any]] = {name: [] for name in ("member", "shuffled", "area", "accuracy", "train_accuracy")}
    for shuffled in SHUFFLED:
        _, test = own_data(seeded(make, shuffled), members, seed)
        outputs = final(test.x, per_member=True)
        columns["member"] += range(members)
        columns["shuffled"] += [shuffled] * members
        columns["area"] += area(outputs[..., 1] - outputs[..., 0], test.y)
        columns["accuracy"] += (outputs.argmax(-1) == test.y).double().mean(1).tolist()
        columns["train_accuracy"] += fitted
    return columns


def seeded(make: Callable[..., Split], shuffled: str) -> Callable[[int], Split]:
    """The data of a seed, with coordinates of the test examples exchanged.

    Args:
        make: Of the data.
        shuffled: Which coordinates.

    Returns:
        A seed -> training and test data.
    """
    return lambda own: make(shuffled=shuffled, seed=own)


def area(scores: Tensor, labels: Tensor) -> list[float]:
    """Area under the ROC curve: the chance that an example of class 1 scores above one of class 0, ties counting half.

    Args:
        scores: ``[M, N]``.
        labels: 0 or 1, ``[M, N]``.

    Returns:
        One a member, by the rank sum of class 1.
    """
    ranks, ones = rankdata(scores.double().numpy(), axis=1), labels.double().numpy()
    positive = ones.sum(1)
    above = (ranks * ones).sum(1) - positive * (positive + 1) / 2
    return [float(share) for share in above / (positive * (ones.shape[1] - positive))]
