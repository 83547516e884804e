"""The learning coefficient along grokking: is the solution that generalizes the simpler one, and does training pass down to it?"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.sampling import NetworkField, Settings
from heldout.engine.sampling.coefficients import automatic_localisations, coefficients
from heldout.engine.subject import Examples, Loss
from heldout.engine.training import Recipe, errors, fit
from heldout.engine.training.own_data import own_data

BUDGET = 20_000.0  # gradients a chain
HALF, FIT = 0.5, 0.99  # accuracies below which a network has not generalized, and above which it fits


def _arm(table: pd.DataFrame, share: float, decay: float) -> pd.DataFrame:
    return table[np.isclose(table.share, share) & np.isclose(table.weight_decay, decay)]


def at_the_end(table: pd.DataFrame, column: str, share: float, decay: float) -> np.ndarray:
    """A column of the last step of an arm, one row a member."""
    rows = _arm(table, share, decay)
    return rows[rows.step == rows.step.max()].sort_values("member")[column].to_numpy(float)


def simplification(table: pd.DataFrame, share: float) -> list[float]:
    """Logarithm of the coefficient without weight decay over that with it, at the end, member by member."""
    without, decayed = (
        at_the_end(table, "coefficient", share, decay) for decay in (table.weight_decay.min(), table.weight_decay.max())
    )
    return list(np.log(without / decayed))


def memorised_over_grokked(table: pd.DataFrame) -> list[float]:
    """Log of the coefficient of a network that memorised over that of one that generalizes on the same many pairs, at the end."""
    return simplification(table, table.share.max())


def memorised_over_memorised(table: pd.DataFrame) -> list[float]:
    """The same ratio, without weight decay over with it, on few pairs, of which neither network generalizes."""
    return simplification(table, table.share.min())


def fall(table: pd.DataFrame) -> list[float]:
    """Log of the largest coefficient on the way, while the test accuracy is below a half, over that at the end, where it groks."""
    rows = _arm(table, table.share.max(), table.weight_decay.max())
    found = []
    for _, own in rows.groupby("member"):
        before = own[(own.test_accuracy < HALF) & (own.train_accuracy > FIT)].coefficient
        last = own[own.step == own.step.max()].coefficient
        found.append(float(np.log(before.max(skipna=False) / last.iloc[0])) if len(before) else float("nan"))
    return found


def accuracy_with_decay(table: pd.DataFrame) -> list[float]:
    """Test accuracy at the end with weight decay, on many pairs."""
    return list(at_the_end(table, "test_accuracy", table.share.max(), table.weight_decay.max()))


def accuracy_without_decay(table: pd.DataFrame) -> list[float]:
    """The same without weight decay: the training data are fitted, and no more."""
    return list(at_the_end(table, "test_accuracy", table.share.max(), table.weight_decay.min()))


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Coefficients and accuracies by step, mean and range over members that have a number."""
    names = {
        "coefficient": "learning coefficient",
        "test_accuracy": "test accuracy",
        "train_accuracy": "training accuracy",
    }
    long = table.rename(columns=names).melt(["share", "weight_decay", "step", "member"], list(names.values()), "name")
    grouped = long.dropna().groupby(["share", "weight_decay", "step", "name"])
    rows = grouped.value.agg(y="mean", low="min", high="max").reset_index().rename(columns={"step": "x"})
    where = list(zip(rows["share"], rows["weight_decay"], rows["name"], strict=True))
    curve = [name if "accuracy" in name else f"weight decay {decay:g}" for _, decay, name in where]
    panel = [
        f"{share:.0%} of the pairs: {f'weight decay {decay:g}' if 'accuracy' in name else name}"
        for share, decay, name in where
    ]
    return rows.assign(curve=curve, panel=panel).drop(columns=["share", "weight_decay", "name"])


GRID = {"share": [0.35, 0.6], "weight_decay": [0.0, 2.0], "modulus": 13, "width": 40, "steps": 600}


@study(
    source="Cullen et al. 2026, A basin-selection perspective on grokking via singular learning theory, arXiv 2603.01192",
    drawn=curves,
    axes={"x": "steps", "y": ""},
    sizes={
        "smoke": {**GRID, "modulus": 7, "width": 12, "steps": 300, "readings": 2, "members": 2},
        "laptop": {**GRID, "readings": 8, "members": 6},
        "paper": {**GRID, "modulus": 23, "width": 120, "readings": 12, "chains": 8, "draws": 400, "precision": 0.03, "members": 10},
    },
    claims=(
        Claim(
            "Weight decay makes the network generalize where without it the same pairs are memorised.",
            "Power et al. 2022, section 3.3; Cullen et al. 2026",
            accuracy_with_decay, bar=0.5, control=accuracy_without_decay,
        ),
        Claim(
            "The solution that generalizes has a smaller learning coefficient than one that memorises the same data.",
            "Cullen et al. 2026",
            memorised_over_grokked, bar=0.12, control=memorised_over_memorised,
        ),
        Claim(
            "In training, grokking is a passage from a larger learning coefficient to a smaller one.",
            "Cullen et al. 2026",
            fall, bar=0.0,
        ),
    ),
    notes="The second bar lies halfway between effect and control as they were with two seeds: weight decay alone lowers the "
    "coefficient of networks that memorise too, by less. Along training the coefficient hardly moves with few pairs and rises with "
    "many, before and during the passage to generalization; with two seeds it did also where one Gaussian (localisation 20) held "
    "all chains, and the networks that memorised stayed above those that generalize. All 192 readings converged.",
)  # fmt: skip
def grokking_learning_coefficient(
    *, share: float, weight_decay: float, modulus: int, width: int, steps: int, readings: int, members: int,
    lr: float = 0.01, noise: float = 0.3, localisation: float | None = None, chains: int = 4, draws: int = 100,
    precision: float = 0.05, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does a network that groks pass to a solution with a smaller learning coefficient, and end simpler than one that memorises?

    The quadratic network of modular addition, squared error, AdamW (0.9, 0.98) on all training pairs. At log-spaced steps the
    posterior around the weights is sampled with automatic settings, at ``1 / ln n`` of the temperature, for a Gaussian likelihood
    of standard deviation ``noise``; every member has sampling noise of its own. What does not converge, or lies above the
    minimum beside it, has no number and a status that says so.

    Args:
        share: Of the p^2 pairs that is training data, drawn anew for every member.
        weight_decay: Of AdamW.
        modulus: p.
        width: Hidden units.
        steps: Full-batch steps.
        readings: Steps that are read, the first a tenth of the last.
        members: Initialisations with their splits.
        lr: Of AdamW.
        noise: Standard deviation of the likelihood: errors below it cost nothing.
        localisation: Precision of the Gaussian that holds the chains; the automatic one, as wide as each network's weights, unless
            given.
        chains: Of every network.
        draws: Of a chain, fewer or more as the precision asks.
        precision: Standard error at which sampling ends.
        seed: Of initialisation, splits and chains.

    Returns:
        ``member``, ``step``, ``train_accuracy``, ``test_accuracy``, ``coefficient`` (NaN where there is none),
        ``quadratic``, ``heat_capacity``, ``localisation``, ``status``.

    Example:
        >>> tiny = {"modulus": 5, "width": 4, "steps": 20, "readings": 1, "members": 1, "draws": 50, "precision": 0.5}
        >>> table = grokking_learning_coefficient(**tiny, share=0.6, weight_decay=1.0, seed=0)
        >>> table["step"], table["status"]  # at a twentieth step it is no minimum yet
        ([20], ['no-minimum'])
    """
    pairs, quadratic = find("modular-arithmetic").function, find("quadratic-modular").function
    train, test = own_data(lambda own: pairs(modulus=modulus, share=share, seed=own), members, seed)
    population = Population.of(lambda: quadratic(modulus=modulus, width=width), members, seed=seed)
    at = sorted({round(step) for step in np.geomspace(steps / 10 if readings > 1 else steps, steps, readings)})
    kept: dict[int, dict[str, torch.Tensor]] = {}
    columns: dict[str, list[Any]] = {name: [] for name in ("member", "step", "train_accuracy", "test_accuracy")}

    def on_record(step: int, now: Population) -> None:
        kept[step] = {name: tensor.detach().clone() for name, tensor in now.parameters.items()}
        columns["member"] += range(members)
        columns["step"] += [step] * members
        for name, data in (("train", train), ("test", test)):
            columns[f"{name}_accuracy"] += (1 - errors(now, data.x, data.y, x_per_member=True)).tolist()

    targets = torch.eye(modulus)[train.y]
    recipe = Recipe(
        optimizer="adamw", lr=lr, betas=(0.9, 0.98), weight_decay=weight_decay, batch_size=None, steps=steps,
        loss="squared-error",
    )  # fmt: skip
    fit(population, replace(train, y=targets), recipe, seed=seed, at=at, on_record=on_record)
    networks = population.with_tensors({name: torch.cat([kept[step][name] for step in at]) for name in kept[at[0]]}, {})
    copies = len(at)
    data = Examples(train.x.repeat(copies, 1, 1), targets.repeat(copies, 1, 1), True, True)
    likelihood = Loss("gaussian", "regression", lambda given, wanted: (given - wanted).square().sum(1) / (2 * noise**2))
    field = NetworkField(networks, data, likelihood, tuple(networks.parameters))
    squares = field.centres.double().square().sum(1)
    gammas = (
        automatic_localisations(squares, field.size) if localisation is None else torch.full_like(squares, localisation)
    )
    settings = Settings(chains=chains, draws=draws, sampler="hmc", budget=BUDGET, precision=precision, seed=seed)
    n = len(train)
    found = coefficients(
        field, settings, nbeta=n / np.log(n), localisations=gammas, seeds=list(range(members)) * copies
    )
    return {
        **columns,
        "coefficient": [own.value for own in found],
        "quadratic": [own.quadratic for own in found],
        "heat_capacity": [own.heat_capacity for own in found],
        "localisation": gammas.tolist(),
        "status": [own.status for own in found],
    }
