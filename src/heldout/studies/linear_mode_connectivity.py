"""Linear mode connectivity: two copies that part early are separated by a barrier, two that part later are not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.population.batch_statistics import with_own_batch_statistics
from heldout.engine.training import Recipe, errors, fit, members_of


def barriers(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Highest error on the segment minus the mean of its ends, one row a step of parting and one column a member."""
    errors_by = table.pivot(index=["branch", "member"], columns="alpha", values=column)
    return (errors_by.max(axis=1) - (errors_by[0.0] + errors_by[1.0]) / 2).unstack("member")


def barrier_from_the_start(table: pd.DataFrame) -> list[float]:
    """Barrier of the training error between copies that part at the first step of the grid."""
    return list(barriers(table, "train_error").iloc[0])


def barrier_later(table: pd.DataFrame) -> list[float]:
    """The same of copies that part last."""
    return list(barriers(table, "train_error").iloc[-1])


def barrier_of_the_test_error(table: pd.DataFrame) -> list[float]:
    """Barrier of the test error between copies that part at the first step of the grid."""
    return list(barriers(table, "test_error").iloc[0])


def later_barrier_of_the_test_error(table: pd.DataFrame) -> list[float]:
    """The same of copies that part last."""
    return list(barriers(table, "test_error").iloc[-1])


def early_share(table: pd.DataFrame) -> list[float]:
    """Barrier of the training error at the first parting after a tenth of the training, over that from the start."""
    found = barriers(table, "train_error")
    early = found[found.index >= 0.1 * table.steps.iloc[0]].iloc[0]
    return list(early / found.iloc[0])


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Errors along the segment, means and extremes over pairs, one curve a step of parting."""
    names = {"train_error": "training error", "test_error": "test error"}
    long = table.rename(columns=names).melt(["alpha", "branch", "member"], list(names.values()), "panel")
    rows = long.groupby(["alpha", "branch", "panel"]).value.agg(y="mean", low="min", high="max").reset_index()
    curve = [f"parted at step {step:>5}" for step in rows.branch]
    return rows.rename(columns={"alpha": "x"}).assign(curve=curve).drop(columns="branch")


@study(
    source="Frankle et al. 2020, sections 2 and 3",
    drawn=curves,
    axes={"x": "position between the two copies", "y": "error"},
    sizes={
        "smoke": {"branch": (0, 200), "train_size": 4000, "width": 100, "steps": 1000, "members": 5},
        "laptop": {"branch": (0, 20, 50, 100, 200, 500, 1000), "train_size": 4000, "width": 200, "steps": 1500, "members": 5},
        "paper": {"branch": (0, 50, 100, 200, 500, 1000, 2000, 5000, 10000), "train_size": 16000, "width": 500, "depth": 3,
                  "steps": 30000, "alphas": 31, "members": 10},
    },
    claims=(
        Claim(
            "Copies that differ in the order of examples from the start end in regions separated by a barrier of training error.",
            "Frankle et al. 2020, section 3.1 and figure 2",
            barrier_from_the_start, bar=0.03, control=barrier_later,
        ),
        Claim(
            "The barrier stands in the test error too.",
            "Frankle et al. 2020, section 3.1 and figure 2",
            barrier_of_the_test_error, bar=0.01, control=later_barrier_of_the_test_error,
        ),
        Claim(
            "Networks become stable to the order of examples early in training.",
            "Frankle et al. 2020, section 3.2 and figure 3",
            early_share, bar=0.5, above=False,
        ),
    ),
    notes="Adam's moments begin anew where the copies part; in the paper they go on.",
)  # fmt: skip
def linear_mode_connectivity(
    *, branch: tuple[int, ...], train_size: int, width: int, steps: int, members: int, depth: int = 2, batch_norm: bool = False,
    optimizer: str = "adam", lr: float = 2e-3, batch_size: int = 100, alphas: int = 11, data: Any = None,
    network: Callable[[], nn.Module] | None = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """When in training do two copies of a network that see the examples in different orders stay linearly connected?

    A network is trained for k steps, copied, and each copy trained to the same total with an order of its own. On the segment
    ``w = (1 - alpha) w_1 + alpha w_2`` the barrier is ``max_alpha error(w) - (error(w_1) + error(w_2)) / 2``. Batch norm's
    statistics are computed anew at every point, its ends included: those of the copies do not fit between them.

    Args:
        branch: Values of k, the step at which the copies part, in rising order.
        train_size: Training examples.
        width: Of the hidden layers.
        steps: Of training in all.
        members: Pairs of copies, each from its own initialisation.
        depth: Hidden layers.
        batch_norm: Whether there is batch norm before each activation.
        optimizer: As of a recipe.
        lr: Learning rate.
        batch_size: Examples a step.
        alphas: Points on the segment, its ends included.
        data: Your own ``((x, y), (x_test, y_test))``.
        network: Your own factory.
        seed: Of initialisations and orders.

    Returns:
        ``member``, ``branch``, ``alpha``, ``train_error`` and ``test_error``.

    Example:
        >>> x, y = torch.eye(4), torch.arange(4)
        >>> table = linear_mode_connectivity(
        ...     branch=(0, 3), train_size=4, width=8, steps=3, members=1, batch_size=2, data=((x, y), (x, y)), seed=0
        ... )
        >>> len(set(table["train_error"][-11:]))  # copies that part at the end are the same
        1
    """
    train, test = data or find("one-dimensional-digits").function(train_size=train_size)
    dense, inputs, classes = find("dense").function, train[0][0].numel(), int(train[1].max()) + 1
    make = network or (lambda: dense(inputs=inputs, widths=(width,) * depth, outputs=classes, batch_norm=batch_norm))
    recipe = Recipe(optimizer=optimizer, lr=lr, batch_size=batch_size, steps=max(branch))
    trunk: dict[int, Population] = {}
    population = Population.of(make, members, seed=seed)
    fit(population, train, recipe, seed=seed, at=branch, on_record=trunk.__setitem__)
    columns: dict[str, list[Any]] = {name: [] for name in ("member", "branch", "alpha", "train_error", "test_error")}
    places = torch.linspace(0, 1, alphas, dtype=population.dtype)
    for step in branch:
        pairs = members_of(trunk[step], [member for member in range(members) for _ in (0, 1)])
        orders = list(range(members, 3 * members))  # none of them the trunk's
        ends = fit(pairs, train, recipe.but(steps=steps - step, order=orders), seed=seed).final
        points = with_own_batch_statistics(between(ends, places), train[0])
        columns["member"] += np.repeat(np.arange(members), alphas).tolist()
        columns["branch"] += [step] * members * alphas
        columns["alpha"] += np.linspace(0, 1, alphas).tolist() * members
        columns["train_error"] += errors(points, *train).tolist()
        columns["test_error"] += errors(points, *test).tolist()
    return columns


def between(pairs: Population, places: Tensor) -> Population:
    """Networks on the segments between members 0 and 1, 2 and 3, and so on.

    Args:
        pairs: 2 M networks.
        places: alpha, ``[A]``.

    Returns:
        M A networks, those of a segment one after the other.
    """

    def mixed(stack: Tensor) -> Tensor:
        if not stack.is_floating_point():
            return stack[::2].repeat_interleave(len(places), 0)
        first, second = stack[::2, None], stack[1::2, None]
        return torch.lerp(first, second, places.view(1, -1, *[1] * (stack.ndim - 1))).flatten(0, 1)

    return pairs.with_tensors(
        {name: mixed(stack) for name, stack in pairs.parameters.items()},
        {name: mixed(stack) for name, stack in pairs.buffers.items()},
    )
