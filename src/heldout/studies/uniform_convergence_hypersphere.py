"""The failure of uniform convergence in a trained network: two spheres, and the twin of the training set on the other one."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

RADII = (1.0, 1.2)


def at_largest(table: pd.DataFrame, column: str) -> list[float]:
    """A column of the largest training set, seed by seed."""
    return list(table[table.examples == table.examples.max()].sort_values("member")[column])


def twin_error(table: pd.DataFrame) -> list[float]:
    """Error on the twin of the largest training set, every point moved to the other sphere with the other label."""
    return at_largest(table, "twin_error")


def error_of_a_fresh_set(table: pd.DataFrame) -> list[float]:
    """Error of the same networks on fresh points."""
    return at_largest(table, "test_error")


def uniform_bound(table: pd.DataFrame) -> list[float]:
    """What a bound by uniform convergence over the networks found must say at least: twin error minus test error."""
    return list(np.subtract(at_largest(table, "twin_error"), at_largest(table, "test_error")))


def fall_of_the_test_error(table: pd.DataFrame) -> list[float]:
    """Test error with the smallest training set minus that with the largest."""
    smallest = table[table.examples == table.examples.min()].sort_values("member").test_error
    return list(np.subtract(smallest, at_largest(table, "test_error")))


def fall_of_the_twin_error(table: pd.DataFrame) -> list[float]:
    """The same of the error on the twin."""
    smallest = table[table.examples == table.examples.min()].sort_values("member").twin_error
    return list(np.subtract(smallest, at_largest(table, "twin_error")))


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean errors with their extremes over seeds, by the size of the training set."""
    names = {"train_error": "training set", "test_error": "fresh data", "twin_error": "twin of the training set"}
    rows = table.melt(["examples", "member"], list(names), var_name="curve", value_name="error")
    grouped = rows.groupby(["examples", "curve"]).error.agg(y="mean", low="min", high="max").reset_index()
    return grouped.assign(curve=grouped.curve.map(names)).rename(columns={"examples": "x"})


@study(
    source="Nagarajan and Kolter 2019, section 3.2 and figure 1",
    sizes={
        "smoke": {"examples": [128, 1024], "dimensions": 100, "width": 200, "steps": 3000, "members": 4},
        "laptop": {"examples": [256, 1024, 4096], "dimensions": 200, "width": 1000, "steps": 6000, "members": 5},
        "paper": {"examples": [4096, 16384, 65536], "dimensions": 1000, "width": 100000, "steps": 100000, "members": 10,
                  "lr": 0.1},
    },
    drawn=drawn,
    axes={"x": "training examples", "y": "error", "log_x": True},
    claims=(
        Claim(
            "A trained network errs on nearly all of the twin of its training set, which is as likely a training set as it.",
            "Nagarajan and Kolter 2019, section 3.2 and figure 1", twin_error, bar=0.75, control=error_of_a_fresh_set,
        ),
        Claim(
            "Hence any bound by uniform convergence is nearly vacuous, however small the set of networks that is allowed for.",
            "Nagarajan and Kolter 2019, section 3.2", uniform_bound, bar=0.5,
        ),
        Claim(
            "With more training data the test error falls; the error on the twin does not.",
            "Nagarajan and Kolter 2019, figure 1", fall_of_the_test_error, bar=0.1, control=fall_of_the_twin_error,
        ),
    ),
)  # fmt: skip
def uniform_convergence_hypersphere(
    *, examples: int, dimensions: int, width: int, steps: int, members: int, lr: float = 0.5, batch_size: int = 64,
    margin: float = 8.0, fresh: int = 4000, seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Does a trained network generalize although it errs on an equally likely training set?

    Points uniform on two spheres of radius 1 and 1.2 about the origin, the sphere being the label. One hidden layer of ReLUs,
    SGD without momentum until the mean cross-entropy is that of a margin, the difference of the two logits (the paper stops when
    99 % of the points have the margin). The twin takes every training point to the other sphere and turns its label: as the two
    classes are equally likely it has the law of a training set.

    Args:
        examples: Of the training set.
        dimensions: Of the space.
        width: Hidden units.
        steps: At most.
        members: Seeds: points, initialisation, order.
        lr: Learning rate.
        batch_size: Examples a step.
        margin: At which training ends.
        fresh: Points of the test set.
        seed: Of everything.

    Returns:
        A row a seed: member, train_error, test_error, twin_error, steps_taken.

    Example:
        >>> rows = uniform_convergence_hypersphere(
        ...     examples=32, dimensions=20, width=16, steps=200, members=2, batch_size=16, fresh=50, seed=0
        ... )
        >>> rows["train_error"].shape, bool((rows["steps_taken"] <= 200).all())
        ((2,), True)
    """

    def points(purpose: str, count: int) -> tuple[Tensor, Tensor]:
        drawn_points = [sphere(stream(seed, purpose, member), count, dimensions) for member in range(members)]
        y = torch.stack([torch.arange(count) % 2] * members)
        return torch.stack(drawn_points) * torch.tensor(RADII)[y].unsqueeze(-1), y

    x, y = points("training points", examples)
    x_fresh, y_fresh = points("fresh points", fresh)
    twin = x * torch.tensor([RADII[1] / RADII[0], RADII[0] / RADII[1]])[y].unsqueeze(-1)

    def make() -> Any:
        return find("dense").function(inputs=dimensions, widths=(width,), outputs=2)

    recipe = Recipe(
        lr=lr, momentum=0.0, batch_size=min(batch_size, examples), steps=steps, stop="loss",
        target_loss=float(np.log1p(np.exp(-margin))),
    )  # fmt: skip
    fitted = fit(Population.of(make, members, seed=seed), Examples(x, y, True, True), recipe, seed=seed)

    def wrong(points: Tensor, labels: Tensor) -> np.ndarray:
        return (fitted.final(points, per_member=True).argmax(-1) != labels).double().mean(1).numpy()

    return {
        "member": np.arange(members), "train_error": wrong(x, y), "test_error": wrong(x_fresh, y_fresh),
        "twin_error": wrong(twin, 1 - y), "steps_taken": fitted.step.numpy(),
    }  # fmt: skip


def sphere(draw: torch.Generator, count: int, dimensions: int) -> Tensor:
    """Points uniform on the unit sphere, ``[count, dimensions]``."""
    gaussian = torch.randn(count, dimensions, generator=draw)
    return gaussian / gaussian.norm(dim=1, keepdim=True)
