"""Hidden progress: the circuit of modular addition grows long before test accuracy shows it."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.fourier_modular import key_frequencies, restricted_and_excluded
from heldout.engine.population import Population
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

FIT, CHANCE, HALF = 0.99, 0.05, 0.5


def _arm(table: pd.DataFrame, decay: bool) -> list[pd.DataFrame]:
    """Rows of each member from its fit on, with or without weight decay."""
    rows = table[(table.weight_decay > 0) == decay].sort_values("step")
    return [own[own.step >= own.step[own.train_accuracy >= FIT].min()] for _, own in rows.groupby("member")]


def _fall(rows: pd.DataFrame) -> float:
    early = rows[rows.test_accuracy < CHANCE]
    return float(np.log(early.restricted.iloc[0] / early.restricted.iloc[-1])) if len(early) else float("nan")


def fall_before_accuracy(table: pd.DataFrame) -> list[float]:
    """Log ratio of the restricted loss at the fit to that at the last reading with a test accuracy below 0.05."""
    return [_fall(rows) for rows in _arm(table, True)]


def fall_without_decay(table: pd.DataFrame) -> list[float]:
    """The same without weight decay, where accuracy stays there."""
    return [_fall(rows) for rows in _arm(table, False)]


def lead(table: pd.DataFrame) -> list[float]:
    """Share of the way from the fit to a test accuracy of 0.5 that is still ahead when the restricted loss has halved."""
    leads = []
    for rows in _arm(table, True):
        start, end = rows.step.iloc[0], rows.step[rows.test_accuracy >= HALF].min()
        halved = rows.step[rows.restricted <= rows.restricted.iloc[0] / 2].min()
        leads.append(float((end - halved) / (end - start)))
    return leads


def excluded_rise(table: pd.DataFrame) -> list[float]:
    """Final excluded loss minus its smallest value after the fit, in nats."""
    return [float(rows.excluded.iloc[-1] - rows.excluded.min()) for rows in _arm(table, True)]


def excluded_rise_without_decay(table: pd.DataFrame) -> list[float]:
    """The same without weight decay."""
    return [float(rows.excluded.iloc[-1] - rows.excluded.min()) for rows in _arm(table, False)]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Losses and test accuracy (from 0.01 up: the axis is logarithmic) by step, one panel a weight decay."""
    names = {"restricted": "restricted loss", "excluded": "excluded loss", "test_loss": "test loss",
             "test_accuracy": "test accuracy"}  # fmt: skip
    long = table.rename(columns=names).melt(["weight_decay", "step", "member"], list(names.values()), "curve")
    rows = long.groupby(["weight_decay", "step", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    panel = [f"weight decay {decay:g}" for decay in rows.weight_decay]
    rows[["y", "low", "high"]] = rows[["y", "low", "high"]].clip(lower=0.01)
    return rows.rename(columns={"step": "x"}).assign(panel=panel).drop(columns="weight_decay")


GRID = {"weight_decay": [0.0, 1.0], "share": 0.5, "members": 3}


@study(
    source="Nanda et al. 2023, section 5 (progress measures), on the network of the digest instead of a transformer",
    drawn=curves,
    axes={"x": "steps", "y": "nats, or share right", "log_y": True},
    sizes={
        "smoke": {**GRID, "modulus": 31, "share": 0.6, "width": 64, "steps": 1000, "every": 50, "members": 4},
        "laptop": {**GRID, "modulus": 59, "width": 128, "steps": 1500, "every": 50, "members": 5},
        "paper": {**GRID, "modulus": 113, "share": 0.3, "width": 128, "lr": 0.001, "steps": 40000, "every": 200, "members": 5},
    },
    claims=(
        Claim(
            "The loss of the circuit's frequencies alone falls while test accuracy is still that of guessing.",
            "Nanda et al. 2023, section 5.1 and figure 7",
            fall_before_accuracy, bar=0.5, control=fall_without_decay,
        ),
        Claim(
            "Restricted loss has halved well before test accuracy reaches a half.",
            "Nanda et al. 2023, section 5.2",
            lead, bar=0.25,
        ),
        Claim(
            "Without the circuit's frequencies the network loses the training data too, and the more the longer it trains.",
            "Nanda et al. 2023, section 5.1 (excluded loss)",
            excluded_rise, bar=0.25, control=excluded_rise_without_decay,
        ),
    ),
    notes="Without weight decay restricted loss falls too, though less: averaging the logits over the pairs of a sum, training "
    "pairs among them, shows what was memorised. The more of the pairs are training data the more so; at four fifths of "
    "modulus 31 it falls as far as with decay. The small grid is too short for a test accuracy of a half.",
)  # fmt: skip
def hidden_progress(
    *, modulus: int, width: int, share: float, weight_decay: float, steps: int, every: int, members: int,
    lr: float = 0.003, frequencies: int = 6, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does the circuit that generalizes grow gradually, long before test accuracy shows it?

    A ReLU network of two hidden layers without biases on one-hot pairs, addition mod p, cross-entropy, AdamW on the whole
    training set. Key frequencies: those with most power in the final logits as a function of a + b. Restricted loss:
    cross-entropy on all pairs of these waves alone. Excluded loss: on the training pairs, of the logits without them.

    Args:
        modulus: p.
        width: Of both hidden layers.
        share: Of the pairs that is training data, drawn anew for every member.
        weight_decay: Of AdamW.
        steps: Full-batch steps.
        every: Steps between readings.
        members: Initialisations.
        lr: Of AdamW.
        frequencies: How many are key.
        seed: Of initialisation and splits.

    Returns:
        ``member``, ``step``, ``train_accuracy``, ``test_accuracy``, ``test_loss``, ``restricted``, ``excluded``.

    Example:
        >>> small = {"modulus": 7, "width": 8, "share": 0.5, "frequencies": 2, "members": 2}
        >>> table = hidden_progress(**small, weight_decay=1.0, steps=4, every=2, seed=0)
        >>> table["step"]
        [0, 0, 2, 2, 4, 4]
    """
    pairs, dense = find("modular-arithmetic").function, find("dense").function
    train, test = own_data(lambda own: pairs(modulus=modulus, share=share, seed=own), members, seed)
    population = Population.of(
        lambda: dense(inputs=2 * modulus, widths=(width, width), outputs=modulus, bias=False), members, seed=seed
    )
    a, b = torch.cartesian_prod(torch.arange(modulus), torch.arange(modulus)).T
    everything = torch.cat([torch.eye(modulus)[a], torch.eye(modulus)[b]], dim=1)
    known = torch.zeros(members, modulus**2, dtype=torch.bool)
    first, second = train.x[..., :modulus].argmax(-1), train.x[..., modulus:].argmax(-1)
    known.scatter_(1, first * modulus + second, True)
    logits: dict[int, torch.Tensor] = {}
    accuracies: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def on_record(step: int, now: Population) -> None:
        logits[step] = now(everything)
        right = [1 - errors(now, data.x, data.y, x_per_member=True) for data in (train, test)]
        accuracies[step] = right[0], right[1]

    recipe = Recipe(optimizer="adamw", lr=lr, weight_decay=weight_decay, batch_size=None, steps=steps)
    fit(population, train, recipe, seed=seed, at=range(0, steps + 1, every), on_record=on_record)
    rows: list[dict[str, Any]] = []
    grids = {step: found.reshape(members, modulus, modulus, modulus) for step, found in logits.items()}
    key = key_frequencies(grids[max(grids)], frequencies)
    for step, grid in grids.items():
        for member in range(members):
            restricted, excluded = restricted_and_excluded(
                grid[member], known[member].reshape(modulus, modulus), key[member]
            )
            losses = torch.nn.functional.cross_entropy(logits[step][member], (a + b) % modulus, reduction="none")
            rows.append({
                "member": member, "step": step, "train_accuracy": float(accuracies[step][0][member]),
                "test_accuracy": float(accuracies[step][1][member]), "test_loss": float(losses[~known[member]].mean()),
                "restricted": float(restricted), "excluded": float(excluded),
            })  # fmt: skip
    return {name: [row[name] for row in rows] for name in rows[0]}
