"""Lazy against feature learning: the larger the output's scale, the less the weights move and the worse the network generalizes."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, study
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

SCALES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class Scaled(nn.Module):
    """A two-layer ReLU network, nothing at initialisation, times a scale that is not trained.

    Args:
        inputs: Entries of an input.
        units: Hidden units, in pairs that cancel.
        scale: alpha.
    """

    scale: Tensor

    def __init__(self, inputs: int, units: int, scale: float) -> None:
        super().__init__()
        half = torch.randn(units // 2, inputs), torch.randn(units // 2)
        self.first = nn.Parameter(torch.cat([half[0], half[0]]))
        self.second = nn.Parameter(torch.cat([half[1], -half[1]]))
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Inputs ``[B, d]`` to outputs ``[B]``."""
        return self.scale * (torch.relu(x @ self.first.T) @ self.second) / len(self.second)


def by_scale(table: pd.DataFrame, column: str, scale: float) -> list[float]:
    """A column at one scale, seed by seed."""
    return list(table[np.isclose(table.scale, scale)].sort_values("member")[column])


def exponent(table: pd.DataFrame) -> list[float]:
    """Slope of log relative movement against log scale over the three largest scales."""
    scales = sorted(table.scale.unique())[-3:]
    rows = table[table.scale.isin(scales)].assign(log=lambda t: np.log(t.movement))
    return [float(np.polyfit(np.log(own.scale), own.log, 1)[0]) for _, own in rows.groupby("member")]


def exponent_of_small_scales(table: pd.DataFrame) -> list[float]:
    """The same over the two smallest scales."""
    scales = sorted(table.scale.unique())[:2]
    rows = table[table.scale.isin(scales)].assign(log=lambda t: np.log(t.movement))
    return [float(np.polyfit(np.log(own.scale), own.log, 1)[0]) for _, own in rows.groupby("member")]


def lazy_error(table: pd.DataFrame) -> list[float]:
    """Log ratio of the relative test error at the largest scale to that at the smallest."""
    large, small = (by_scale(table, "test_error", pick(table.scale)) for pick in (max, min))
    return list(np.log(np.divide(large, small)))


def flips(table: pd.DataFrame) -> list[float]:
    """Share of activations that training flips at the largest scale."""
    return by_scale(table, "flipped", table.scale.max())


def flips_of_small_scale(table: pd.DataFrame) -> list[float]:
    """The same at the smallest scale."""
    return by_scale(table, "flipped", table.scale.min())


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean movement, test error and flips by scale."""
    names = {
        "movement": "relative movement of the weights",
        "test_error": "relative test error",
        "flipped": "activations flipped",
    }
    means = table.groupby("scale")[list(names)].mean().rename(columns=names).rename_axis("x").reset_index()
    return means.melt("x", var_name="curve", value_name="y")


@study(
    source="Chizat, Oyallon and Bach 2019, sections 1 and 3",
    sizes={
        "smoke": {"scales": (0.1, 1.0, 10.0, 30.0, 100.0), "members": 3, "examples": 300, "units": 60, "steps": 2500},
        "laptop": {"scales": SCALES, "members": 5, "examples": 600, "units": 100, "steps": 10000},
        "paper": {"scales": (0.01, *SCALES), "members": 10, "examples": 1000, "units": 200, "steps": 50000},
    },
    drawn=drawn,
    axes={"x": "scale of the output", "y": "value", "log_x": True, "log_y": True},
    claims=(
        Claim(
            "At large scales the relative movement of the weights falls like one over the scale.",
            "Chizat et al. 2019, theorem 2.3", exponent, bar=-0.8, above=False, control=exponent_of_small_scales,
        ),
        Claim(
            "Lazy training generalizes worse than feature learning.",
            "Chizat et al. 2019, section 3.1", lazy_error, bar=0.3,
        ),
        Claim(
            "In lazy training activations stay as they were.",
            "Chizat et al. 2019, section 3", flips, bar=0.05, above=False, control=flips_of_small_scale,
        ),
    ),
)  # fmt: skip
def lazy_training(
    *, scales: tuple[float, ...], members: int, examples: int, units: int, steps: int, dimension: int = 20, seed: int
) -> dict[str, Any]:
    r"""Does the scale of a network's output decide whether it learns features?

    A teacher of three ReLU units in d dimensions; the student alpha (h(w) - h(w0)) of width m with h(w0) = 0, trained by full-batch
    gradient descent on the squared loss over alpha^2. All scales and seeds are one population: alpha is a buffer of each
    member.

    Args:
        scales: Values of alpha.
        members: Seeds; each scale has the same.
        examples: Of the training set.
        units: m.
        steps: Of gradient descent.
        dimension: d.
        seed: Of everything.

    Returns:
        A row a scale and seed: member, scale, train_error and test_error (over the variance of the targets), movement (of the
        weights, relative to their norm), flipped (share of activations on the training data).

    Example:
        >>> rows = lazy_training(scales=(1.0, 10.0), members=1, examples=40, units=8, steps=20, dimension=5, seed=0)
        >>> bool(rows["movement"][0] > rows["movement"][1])
        True
    """
    pairs = [(scale, member) for scale in scales for member in range(members)]
    own = [_teacher(dimension, examples, seed, member) for _, member in pairs]
    x, y, x_test, y_test = (torch.stack(part) for part in zip(*own, strict=True))
    initial = Population([_student(dimension, units, scale, seed, member) for scale, member in pairs])
    lr = [units * 0.05 / scale**2 for scale, _ in pairs]
    recipe = Recipe(
        optimizer="gradient-descent", momentum=0.0, lr=lr, steps=steps, loss="squared-error", check_every=500
    )
    final = fit(initial, Examples(x, y, True, True), recipe, seed=seed).final
    errors = [
        ((final(inputs, per_member=True) - targets).square().mean(1) / targets.var(1)).numpy()
        for inputs, targets in ((x, y), (x_test, y_test))
    ]
    before, after = initial.parameters["first"], final.parameters["first"]
    signs = [torch.einsum("mnd,mud->mnu", x, weights) > 0 for weights in (before, after)]
    return {
        "member": [member for _, member in pairs],
        "scale": [scale for scale, _ in pairs],
        "train_error": errors[0],
        "test_error": errors[1],
        "movement": ((after - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)).numpy(),
        "flipped": (signs[0] != signs[1]).double().mean((1, 2)).numpy(),
    }


def _student(dimension: int, units: int, scale: float, seed: int, member: int) -> nn.Module:
    return Population.of(lambda: Scaled(dimension, units, scale), 1, seed=seed, numbers=[member]).member(0)


def _teacher(dimension: int, examples: int, seed: int, member: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    draw = stream(seed, "teacher", member)
    units = torch.randn(3, dimension, generator=draw)
    units = units / units.norm(dim=1, keepdim=True)
    x = torch.randn(examples + 1000, dimension, generator=draw)
    y = torch.relu(x @ units.T) @ torch.tensor([1.0, -1.0, 1.0])
    return x[:examples], y[:examples], x[examples:], y[examples:]
