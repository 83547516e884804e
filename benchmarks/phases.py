"""Are phases named right, how late, and how often falsely? Trainings of the studies for calibration, others for validation.

Run: ``python benchmarks/phases.py [--part validation] [--runs 20] [--keep FOLDER]``. Trains the populations of one part (calibration:
seed 0, validation: seed 1), makes series of known truth besides, and prints the tables of ``docs/phases.md``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import beta
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, loss_named
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.outcomes import mean_losses
from heldout.engine.training.own_data import own_data


def watched(
    make: Callable[[], nn.Module], train: Examples, test: Examples, recipe: Recipe, at: Sequence[int], seed: int, arms: Sequence[str]
) -> pd.DataFrame:  # fmt: skip
    """A population under training, as the table of a watched run: one arm's name a member."""
    rows: list[pd.DataFrame] = []
    members, loss, classes = len(arms), loss_named(recipe.loss, train.y), train.y.ndim == 2 and not train.y.is_floating_point()

    def on_record(step: int, now: Population) -> None:
        for name, data in (("train", train), ("validation", test)):
            read = {"loss": mean_losses(now, data, loss)}
            labels = data.y if classes else data.y.argmax(-1)
            if data.y.shape[-1] > 1 or classes:
                read["error"] = errors(now, data.x, labels, x_per_member=data.x_per_member)
            for kind, values in read.items():
                value = values.numpy()
                row = pd.DataFrame({"step": step, "member": range(members), "name": f"{name}-{kind}", "value": value})
                if (name, kind) == ("validation", "error"):
                    n = len(data)
                    wrong = np.round(value * n)
                    row["low"] = np.where(wrong > 0, beta.ppf(0.025, wrong, n - wrong + 1), 0.0)
                    row["high"] = np.where(wrong < n, beta.ppf(0.975, wrong + 1, n - wrong), 1.0)
                rows.append(row)

    fit(Population.of(make, members, seed=seed), train, recipe, seed=seed, at=list(at), on_record=on_record)
    return pd.concat(rows, ignore_index=True).assign(arm=lambda table: [arms[member] for member in table.member])


def log_spaced(steps: int, readings: int) -> list[int]:
    """Steps at equal ratios, and the start."""
    return [0, *np.unique(np.geomspace(1, steps, readings).round().astype(int)).tolist()]


def grokking(runs: int, seed: int) -> pd.DataFrame:
    """Modular addition by the quadratic network (study grokking-modular-addition): half, nearly all or too few of the pairs."""
    tables = []
    for share, arm in ((0.5, "half of the pairs"), (0.9, "nearly all pairs"), (0.2, "too few pairs")):
        pairs, make = find("modular-arithmetic").function, find("quadratic-modular").function
        train, test = own_data(lambda own, share=share: pairs(modulus=59, share=share, seed=own), runs, seed)
        recipe = Recipe(optimizer="adamw", lr=0.01, betas=(0.9, 0.98), weight_decay=5.0, batch_size=None, steps=100,
                        loss="squared-error")  # fmt: skip
        one_hot = torch.eye(59)
        tables.append(watched(
            lambda: make(modulus=59, width=200), Examples(train.x, one_hot[train.y], True, True),
            Examples(test.x, one_hot[test.y], True, True), recipe, range(0, 101, 2), seed, [arm] * runs,
        ))  # fmt: skip
    return pd.concat(tables)


def hidden_progress(runs: int, seed: int) -> pd.DataFrame:
    """Modular addition by the ReLU network under cross-entropy (study hidden-progress), with and without weight decay."""
    tables = []
    for decay, arm in ((1.0, "weight decay 1"), (0.0, "no weight decay")):
        pairs, dense = find("modular-arithmetic").function, find("dense").function
        train, test = own_data(lambda own: pairs(modulus=41, share=0.6, seed=own), runs, seed)
        recipe = Recipe(optimizer="adamw", lr=0.003, weight_decay=decay, batch_size=None, steps=1500)
        tables.append(watched(lambda: dense(inputs=82, widths=(128, 128), outputs=41, bias=False), train, test, recipe,
                              log_spaced(1500, 60), seed, [arm] * runs))  # fmt: skip
    return pd.concat(tables)


def labels_drawn_anew(runs: int, seed: int) -> pd.DataFrame:
    """Digits with a share of the labels drawn anew (studies random-labels and early-learning)."""
    (x, y), (x_test, y_test) = find("digits").function(train_size=500, seed=seed)
    shares = {"true labels": 0.0, "two fifths random": 0.4, "half random": 0.5, "random labels": 1.0}
    arms = [arm for arm in shares for _ in range(runs)]
    labels = torch.stack([_drawn_anew(y, shares[arm], seed, place) for place, arm in enumerate(arms)])
    recipe = Recipe(optimizer="adam", lr=1e-3, batch_size=50, steps=1000)
    return watched(lambda: find("dense").function(widths=(96, 96)), Examples(x, labels, False, True), Examples(x_test, y_test.expand(len(arms), -1), False, True),
                   recipe, log_spaced(1000, 45), seed, arms)  # fmt: skip


def _drawn_anew(y: Tensor, share: float, seed: int, place: int) -> Tensor:
    draw = stream(seed, "labels", place)
    hit = torch.rand(y.shape, generator=draw) < share
    return torch.where(hit, torch.randint(0, 10, y.shape, generator=draw), y)


def two_descents(runs: int, seed: int) -> pd.DataFrame:
    """Linear networks whose features are of two scales (the model of double-descent-epoch-linear, many features, one draw a run)."""
    fast, slow, examples = 80, 60, 200
    scale = torch.cat([torch.ones(fast), torch.full((slow,), 0.1)])

    def make_data(own: int) -> Any:
        draw = stream(own, "two descents")
        wanted = torch.randn(fast + slow, generator=draw) * torch.tensor([(3 / fast) ** 0.5] * fast + [(3 / slow) ** 0.5 / 0.1] * slow)
        x = torch.randn(examples + 2000, fast + slow, generator=draw) * scale
        y = (x @ wanted + 0.7 * torch.randn(len(x), generator=draw))[:, None]
        return (x[:examples], y[:examples]), (x[examples:], y[examples:])

    train, test = own_data(make_data, runs, seed)
    recipe = Recipe(optimizer="gradient-descent", lr=0.06, momentum=0.0, steps=6000, loss="squared-error")

    def make() -> nn.Module:
        network = nn.Linear(fast + slow, 1, bias=False)
        nn.init.zeros_(network.weight)
        return network

    return watched(make, train, test, recipe, log_spaced(6000, 60), seed, ["two scales"] * runs)


def plain(runs: int, seed: int) -> pd.DataFrame:
    """Digits with their true labels, read every twenty steps: nothing but learning."""
    (x, y), (x_test, y_test) = find("digits").function(train_size=1000, seed=seed)
    recipe = Recipe(optimizer="adam", lr=1e-3, batch_size=100, steps=500)
    return watched(lambda: find("dense").function(widths=(64,)), Examples(x, y.expand(runs, -1), False, True),
                   Examples(x_test, y_test.expand(runs, -1), False, True), recipe, range(0, 501, 10), seed, ["plain"] * runs)  # fmt: skip


def synthetic(kind: str, runs: int, seed: int) -> pd.DataFrame:
    """Series of known truth: ``noise`` (nothing happens), ``plain`` (both risks fall), ``rise`` (validation rises again by 0 to 30 %).

    Errors about a smooth course, in the unit where binomial noise is even: that of the validation examples, half of it shared by
    all checkpoints, and noise of training, correlated from row to row, sometimes with heavy tails; 15 to 200 rows, evenly spaced
    or by logarithm.
    """
    tables = []
    for run in range(runs):
        draw = np.random.default_rng([seed, run])
        rows = int(draw.integers(15, 200))
        step = np.arange(rows) * 10 if draw.random() < 0.5 else np.unique(np.geomspace(1, 10_000, rows).round()).astype(int)
        place, n = np.linspace(0, 1, len(step)), int(10 ** draw.uniform(2, 4))
        fall = 1 / (1 + np.exp(-(place - 0.25) * draw.uniform(15, 60))) * (kind != "noise")
        chance, floor = draw.choice([0.5, 0.9, 0.99]), draw.uniform(0.01, 0.4)
        course = chance - (chance - floor) * fall
        turn = draw.uniform(0.4, 0.7)
        back = draw.uniform(0, 0.3) * (chance - floor) * np.clip((place - turn) / 0.3, 0, 1) * (kind == "rise")
        spread, memory = 10 ** draw.uniform(-2.5, -1), draw.choice([0.0, 0.3, 0.6])
        for name, level in (("train-error", course * 0.8 ** (8 * fall)), ("validation-error", course + back)):
            shocks = draw.standard_t(4, len(step)) / 2**0.5 if draw.random() < 0.3 else draw.standard_normal(len(step))
            for row in range(1, len(step)):
                shocks[row] = memory * shocks[row - 1] + (1 - memory**2) ** 0.5 * shocks[row]
            sampled = draw.standard_normal() + draw.standard_normal(len(step)) if name[0] == "v" else np.zeros(len(step))
            noisy = 2 * np.arcsin(np.sqrt(level)) + spread * shocks + sampled * (0.5 / n) ** 0.5
            value = np.sin(np.clip(noisy, 0, np.pi) / 2) ** 2
            table = pd.DataFrame({"step": step, "member": run, "name": name, "value": value})
            if name[0] == "v" and n % 2:  # every other run says how many examples there were
                table["standard_error"] = np.sqrt(np.clip(value * (1 - value), 1 / n, None) / n)
            tables.append(table.assign(back=np.nan if name[0] == "t" else back))
    return pd.concat(tables)
