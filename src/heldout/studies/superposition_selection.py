"""Model selection inside one network: a toy model of superposition that drops a feature, against one that keeps them all."""

import math
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from heldout.catalog import Claim, study
from heldout.engine.population import Population, stream
from heldout.engine.training import Recipe, fit

SOLUTIONS = ("simple", "complex")
DEAD = -1.0  # bias of a dropped feature: so far below zero that a neighbourhood of it moves nothing
FLAT = 1e-5  # curvature below which a direction counts as one that the loss does not see


class Superposition(nn.Module):
    """``relu(W' W x + b)`` with fewer rows than columns.

    Args:
        features: Columns of W.
        hidden: Rows.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(hidden, features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of x.

        Args:
            x: ``[N, features]``.

        Returns:
            The same shape.
        """
        return torch.relu(x @ self.weight.T @ self.weight + self.bias)


def of(table: pd.DataFrame, column: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A column of either solution, one row a member and one column a size of the data."""
    found = [table[table.solution == name].pivot(index="member", columns="n", values=column) for name in SOLUTIONS]
    return found[0], found[1]


def gap(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column of the complex solution less that of the simple one."""
    simple, complex_ = of(table, column)
    return complex_ - simple


def excess_with_few(table: pd.DataFrame) -> list[float]:
    """Free energy of the complex solution less that of the simple one, in nats, with a hundred examples."""
    return list(gap(table, "free_energy")[100.0])


def excess_with_many(table: pd.DataFrame) -> list[float]:
    """The same with ten thousand."""
    return list(gap(table, "free_energy")[10_000.0])


def coefficient_gap(table: pd.DataFrame) -> list[float]:
    """Learning coefficient of the complex solution less that of the simple one."""
    return list(gap(table, "coefficient").iloc[:, 0])


def coefficient_gap_by_count(table: pd.DataFrame) -> list[float]:
    """The same of half the number of parameters."""
    return [0.0 for _ in coefficient_gap(table)]


def swap(table: pd.DataFrame) -> pd.DataFrame:
    """By member: the largest n at which the simple solution wins, and the ratio of gaps that foretells it."""
    energies, losses = gap(table, "free_energy"), gap(table, "loss").iloc[:, 0]
    last = [own[own > 0].index.max() if own.iloc[-1] < 0 else float("nan") for _, own in energies.iterrows()]
    return pd.DataFrame({"n": last, "ratio": gap(table, "coefficient").iloc[:, 0] / -losses}, index=energies.index)


def miss(table: pd.DataFrame) -> list[float]:
    """Absolute log ratio of n / ln n where the free energies swap to the gap of coefficients over that of losses."""
    found = swap(table)
    return list(np.abs(np.log(found.n / np.log(found.n) / found.ratio)))


def miss_without_logarithm(table: pd.DataFrame) -> list[float]:
    """The same of n itself, as if complexity cost the same at every size."""
    found = swap(table)
    return list(np.abs(np.log(found.n / found.ratio)))


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Free energy of the complex solution less that of the simple one, and of its two parts, by size of the data."""
    parts = {"free energy": gap(table, "free_energy"), "n times loss": gap(table, "loss") * sorted(table.n.unique())}
    parts["complexity"] = parts["free energy"] - parts["n times loss"]
    rows = [
        {"x": n, "y": frame[n].mean(), "low": frame[n].min(), "high": frame[n].max(), "curve": name}
        for name, frame in parts.items() for n in frame.columns.to_numpy(float) if n <= 3000
    ]  # fmt: skip
    return pd.DataFrame(rows)


GRID = {"features": 6, "kept": 5, "steps": 1000}


@study(
    source="Chen, Lau, Mendel, Wei and Murfet 2023, Dynamical versus Bayesian phase transitions in a toy model of superposition",
    drawn=curves,
    axes={"x": "examples n", "y": "complex less simple, nats", "log_x": True},
    sizes={
        "smoke": {**GRID, "members": 3},
        "laptop": {**GRID, "levels": 50, "steps": 4000, "members": 20},
        "paper": {**GRID, "levels": 200, "steps": 20_000, "members": 100},
    },
    claims=(
        Claim(
            "The solution that reconstructs more features has the larger learning coefficient.",
            "Chen et al. 2023, section 3",
            coefficient_gap, bar=0.75, control=coefficient_gap_by_count,
        ),
        Claim(
            "With few examples the simple solution has the smaller free energy, with many the complex one.",
            "Chen et al. 2023, section 3; Watanabe 2009, section 7.6",
            excess_with_few, bar=0.0, control=excess_with_many,
        ),
        Claim(
            "They swap where n / ln n is the gap of the learning coefficients over the gap of the losses.",
            "Watanabe 2009, section 7.6; Chen et al. 2023, section 3",
            miss, bar=0.9, above=False, control=miss_without_logarithm,
        ),
    ),
    notes="The last claim leaves out what stays bounded as n grows, the width of the prior and the curvatures: it gives the order of "
    "magnitude, 1005 where the free energies swap at 603. With a prior a third as wide (precision 10) they swap at 220.",
)  # fmt: skip
def superposition_selection(
    *, features: int, kept: int, members: int, steps: int, levels: int = 12, lr: float = 3.0, precision: float = 1.0, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does a posterior prefer the simpler of two solutions until the data are many, and does the learning coefficient say until when?

    ``relu(W' W x + b)`` with two rows of W reconstructs x, one feature at a time at a level uniform in [0, 1]; the loss is
    half the squared error, a Gaussian's negative log-likelihood, over all data rather than a sample. Both solutions are regular
    polygons of columns of W, trained to their minimum: one of all features, and one that drops some, whose three parameters
    each then move nothing. Around either the loss is a quadratic with flat directions, so that the free energy is Laplace's,
    ``n L + sum_i ln(1 + n h_i / precision) / 2``, and the learning coefficient half the rank of the Hessian.

    It is not sampled here: the free energy of one solution is a ladder of temperatures, a posterior each, and of both solutions of
    every member more than a study may cost. Of solutions of one's own ``heldout.sample_posterior(..., ladder=12)`` gives it.

    Args:
        features: Columns of W; the complex solution keeps all.
        kept: By the simple one.
        members: Turns, orders of the features and starts of training.
        steps: Full-batch steps of SGD with momentum 0.9.
        levels: Of a feature in the data.
        lr: Of SGD.
        precision: Of the Gaussian around a solution that is the prior of its neighbourhood.
        seed: Of starts.

    Returns:
        ``member``, ``solution``, ``n``, ``loss`` L, ``free_energy`` and ``coefficient``.

    Example:
        >>> table = superposition_selection(features=4, kept=3, members=1, levels=2, steps=50, seed=0)
        >>> sorted(set(table["solution"])), min(table["n"]), max(table["n"])
        (['complex', 'simple'], 10.0, 100000.0)
    """
    level = (torch.arange(levels) + 0.5) / levels
    x = (torch.eye(features)[:, None, :] * level[None, :, None]).reshape(-1, features)
    starts = [_polygon(number, features, member, seed) for number in (kept, features) for member in range(members)]
    begun = Population.of(lambda: Superposition(features, 2), len(starts), seed=seed)
    begun = begun.with_tensors(
        {"weight": torch.stack([w for w, _ in starts]), "bias": torch.stack([b for _, b in starts])}, {}
    )
    recipe = Recipe(optimizer="sgd", lr=lr, momentum=0.9, batch_size=None, steps=steps, loss="squared-error")
    found = fit(begun, (x, x), recipe, seed=seed).final
    weights = torch.cat([found.parameters["weight"].flatten(1), found.parameters["bias"]], dim=1).detach().double()
    losses, curvatures = losses_and_curvatures(weights, x.double(), features)
    sizes = np.geomspace(10.0, 1e5, 401)
    rows: list[dict[str, Any]] = []
    for place in range(len(starts)):
        energies = losses[place] * sizes + 0.5 * np.log1p(np.multiply.outer(sizes, curvatures[place]) / precision).sum(
            1
        )
        coefficient = 0.5 * float((curvatures[place] > FLAT).sum())
        rows += [
            {"member": place % members, "solution": SOLUTIONS[place // members], "n": float(f"{n:.6g}"), "loss": losses[place],
             "free_energy": energy, "coefficient": coefficient}
            for n, energy in zip(sizes, energies, strict=True)
        ]  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}


def losses_and_curvatures(weights: Tensor, x: Tensor, features: int) -> tuple[np.ndarray, np.ndarray]:
    """Losses and eigenvalues of their Hessians.

    Args:
        weights: W row by row, then b, ``[M, 3 features]``.
        x: Data.
        features: Columns of W.

    Returns:
        ``[M]``, and ``[M, P]`` with what is negative by rounding set to 0.
    """

    def loss(own: Tensor) -> Tensor:
        w, b = own[: 2 * features].reshape(2, features), own[2 * features :]
        return 0.5 * (torch.relu(x @ w.T @ w + b) - x).square().sum(1).mean()

    values = torch.linalg.eigvalsh(torch.vmap(torch.func.jacrev(torch.func.grad(loss)))(weights))
    return torch.vmap(loss)(weights).numpy(), values.clamp_min(0.0).numpy()


def _polygon(kept: int, features: int, member: int, seed: int) -> tuple[Tensor, Tensor]:
    """W and b near a regular polygon of some of the features, turned at random."""
    generator = stream(seed, "polygon", member)
    order = torch.randperm(features, generator=generator)[:kept]
    turn = 2 * math.pi * torch.rand(1, generator=generator)
    noise = 0.05 * torch.randn(2, features, generator=generator)
    angles = turn + 2 * math.pi * torch.arange(kept) / kept
    weight, bias = torch.zeros(2, features), torch.full((features,), DEAD)
    weight[:, order] = 1.2 * torch.stack([angles.cos(), angles.sin()]) + noise[:, :kept]
    bias[order] = -0.3
    return weight, bias
