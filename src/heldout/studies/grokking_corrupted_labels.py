"""Modular addition with corrupted labels: memorised and generalized at once, by different hidden units."""

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from heldout.catalog import Claim, find, study
from heldout.engine.numerics.fourier_modular import neuron_participation
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

PRUNED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9)


def _values(
    table: pd.DataFrame, column: str, *, decay: str = "least", pruned: float = 0.0, first: str = "lowest"
) -> list[float]:
    least, most = table.weight_decay.min(), table.weight_decay.max()
    arm = table[(table.weight_decay == (least if decay == "least" else most)) & (table.removed_first == first)]
    return list(arm[np.isclose(arm.pruned, pruned)].sort_values("member")[column])


def coexistence(table: pd.DataFrame) -> list[float]:
    """Smaller of the test accuracy and the share of corrupted labels fitted, without weight decay."""
    return list(np.minimum(_values(table, "test_accuracy"), _values(table, "corrupted_fitted")))


def coexistence_under_decay(table: pd.DataFrame) -> list[float]:
    """The same with the largest weight decay."""
    return list(
        np.minimum(_values(table, "test_accuracy", decay="most"), _values(table, "corrupted_fitted", decay="most"))
    )


def inversion(table: pd.DataFrame) -> list[float]:
    """Share of corrupted training examples that get their true label, with the largest weight decay."""
    return _values(table, "corrupted_to_true", decay="most")


def inversion_without_decay(table: pd.DataFrame) -> list[float]:
    """The same without weight decay."""
    return _values(table, "corrupted_to_true")


def _difference(table: pd.DataFrame, more: str, less: str, pruned: float, first: str) -> list[float]:
    high, low = (_values(table, column, pruned=pruned, first=first) for column in (more, less))
    return list(np.subtract(high, low))


def forgetting_by_lowest(table: pd.DataFrame) -> list[float]:
    """Test accuracy minus the share of corrupted labels fitted, 65 % of the units removed, the lowest participation first."""
    return _difference(table, "test_accuracy", "corrupted_fitted", 0.65, "lowest")


def forgetting_by_highest(table: pd.DataFrame) -> list[float]:
    """The same, the highest participation first."""
    return _difference(table, "test_accuracy", "corrupted_fitted", 0.65, "highest")


def memory_by_highest(table: pd.DataFrame) -> list[float]:
    """Share of corrupted labels fitted minus test accuracy, 20 % of the units removed, the highest participation first."""
    return _difference(table, "corrupted_fitted", "test_accuracy", 0.2, "highest")


def memory_by_lowest(table: pd.DataFrame) -> list[float]:
    """The same, the lowest participation first."""
    return _difference(table, "corrupted_fitted", "test_accuracy", 0.2, "lowest")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracies by share of units removed, one panel a weight decay and order of removal."""
    names = {"test_accuracy": "test accuracy", "corrupted_fitted": "corrupted, false label fitted",
             "corrupted_to_true": "corrupted, true label given"}  # fmt: skip
    arms = ["weight_decay", "removed_first", "pruned"]
    long = table.rename(columns=names).melt([*arms, "member"], list(names.values()), "curve")
    rows = long.groupby([*arms, "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    panel = [f"weight decay {w:g}, {first} participation removed first"
             for w, first in zip(rows.weight_decay, rows.removed_first, strict=True)]  # fmt: skip
    return rows.rename(columns={"pruned": "x"}).assign(panel=panel).drop(columns=arms[:2])


GRID = {"modulus": 97, "width": 500, "weight_decay": [0.0, 15.0], "steps": 500}


@study(
    source="Doshi et al. 2024, sections 3 and 4",
    drawn=curves,
    axes={"x": "share of the hidden units removed", "y": "share of examples"},
    sizes={
        "smoke": {**GRID, "modulus": 53, "width": 250, "share": 0.9, "steps": 150, "members": 3},
        "laptop": {**GRID, "members": 3},
        "paper": {**GRID, "weight_decay": [0.0, 5.0, 15.0, 20.0], "corruption": [0.1, 0.2, 0.35, 0.5], "steps": 2000, "members": 10},
    },
    claims=(
        Claim(
            "Without weight decay a network memorises corrupted labels and generalizes at once.",
            "Doshi et al. 2024, section 3.1 (coexistence)",
            coexistence, bar=0.5, control=coexistence_under_decay,
        ),
        Claim(
            "Weight decay makes the network give corrupted training examples their true labels.",
            "Doshi et al. 2024, section 3.1 (full inversion)",
            inversion, bar=0.5, control=inversion_without_decay,
        ),
        Claim(
            "Removing the units of lowest participation ratio removes the memorised labels and keeps generalization.",
            "Doshi et al. 2024, section 3.2 and figure 4",
            forgetting_by_lowest, bar=0.5, control=forgetting_by_highest,
        ),
        Claim(
            "Removing the units of highest participation ratio removes generalization and keeps the memorised labels.",
            "Doshi et al. 2024, section 3.2 and figure 4",
            memory_by_highest, bar=0.35, control=memory_by_lowest,
        ),
    ),
    notes="The number of training examples a class decides the phase: at modulus 59 and half of the pairs (30 a class) the "
    "network only memorises. The small grid keeps the 48 a class of modulus 97 and half of the pairs.",
)  # fmt: skip
def grokking_corrupted_labels(
    *, modulus: int, width: int, weight_decay: float, steps: int, members: int, corruption: float = 0.35,
    share: float = 0.5, lr: float = 0.01, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Can a network memorise corrupted labels and generalize at once, and do different hidden units do the two?

    The quadratic network of ``grokking-modular-addition``; a share of the training labels is drawn anew, uniformly. After
    training, units are removed in the order of their inverse participation ratio, the mean of that of the two halves of a
    unit's row of U and of its column of W.

    Args:
        modulus: p.
        width: N.
        weight_decay: Of AdamW.
        steps: Full-batch steps.
        members: Initialisations.
        corruption: Share of the training labels drawn anew; one in p keeps its truth and does not count as corrupted.
        share: Of the pairs that is training data, drawn anew for every member.
        lr: Of AdamW.
        seed: Of initialisation, splits and corruption.

    Returns:
        ``member``, ``removed_first``, ``pruned``, ``train_accuracy``, ``test_accuracy``, ``corrupted_fitted``,
        ``corrupted_to_true``, and ``participation`` of the whole network.

    Example:
        >>> table = grokking_corrupted_labels(modulus=7, width=20, weight_decay=0.0, steps=2, members=2, seed=0)
        >>> sorted(set(table["removed_first"])), len(table["member"])
        (['highest', 'lowest'], 44)
    """
    pairs, quadratic = find("modular-arithmetic").function, find("quadratic-modular").function
    train, test = own_data(lambda own: pairs(modulus=modulus, share=share, seed=own), members, seed)
    given = corrupted(train.y, corruption, modulus, seed)
    population = Population.of(lambda: quadratic(modulus=modulus, width=width), members, seed=seed)
    recipe = Recipe(
        optimizer="adamw", lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay, batch_size=None, steps=steps,
        loss="squared-error",
    )  # fmt: skip
    final = fit(population, Examples(train.x, torch.eye(modulus)[given], True, True), recipe, seed=seed).final
    score = neuron_participation(*final.parameters.values())
    columns: dict[str, list[Any]] = {}
    for first in ("lowest", "highest"):
        order = score.argsort(dim=1, descending=first == "highest")
        for removed in PRUNED:
            left = without(final, order[:, : round(removed * width)])
            arm: dict[str, list[Any]] = {
                "member": list(range(members)),
                "removed_first": [first] * members,
                "pruned": [removed] * members,
            }
            read = {
                **arm,
                **readings(left, train, given, test),
                "participation": score.mean(1).tolist(),
            }
            for name, values in read.items():
                columns.setdefault(name, []).extend(values)
    return columns


def corrupted(labels: Tensor, share: float, classes: int, seed: int) -> Tensor:
    """Labels with a share of them drawn anew, uniformly over the classes, by member.

    Args:
        labels: ``[M, N]``.
        share: Of the labels.
        classes: Their number.
        seed: Of the draw.

    Returns:
        ``[M, N]``.
    """
    changed = labels.clone()
    for member in range(len(labels)):
        draw = stream(seed, "corrupted labels", member)
        hit = torch.randperm(labels.shape[1], generator=draw)[: round(share * labels.shape[1])]
        changed[member, hit] = torch.randint(classes, (len(hit),), generator=draw)
    return changed


def without(population: Population, units: Tensor) -> Population:
    """The networks without some hidden units.

    Args:
        population: Quadratic networks.
        units: ``[M, removed]``.

    Returns:
        Networks whose removed units have no outgoing weights.
    """
    into, out_of = population.parameters
    weight = population.parameters[out_of]
    cut = weight.scatter(-1, units[:, None, :].expand(-1, weight.shape[1], -1), 0.0)
    return population.with_tensors({into: population.parameters[into], out_of: cut}, population.buffers)


def readings(population: Population, train: Examples, given: Tensor, test: Examples) -> dict[str, list[float]]:
    """What the networks make of clean, corrupted and unseen examples.

    Args:
        population: The networks.
        train: With the true labels.
        given: Labels they were trained on, ``[M, N]``.
        test: Unseen examples.

    Returns:
        Reading -> one number a member.
    """
    said, wrong = population(train.x, per_member=True).argmax(-1), given != train.y
    return {
        "train_accuracy": (said == given).double().mean(1).tolist(),
        "test_accuracy": (1 - errors(population, test.x, test.y, x_per_member=True)).tolist(),
        "corrupted_fitted": (((said == given) & wrong).sum(1) / wrong.sum(1)).tolist(),
        "corrupted_to_true": (((said == train.y) & wrong).sum(1) / wrong.sum(1)).tolist(),
    }
