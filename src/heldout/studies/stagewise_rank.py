"""Training in stages: a linear network learns one rank at a time, and each stage raises the learning coefficient."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population, stream
from heldout.engine.sampling import NetworkField, Settings
from heldout.engine.sampling.coefficients import coefficients
from heldout.engine.subject import Examples, Loss
from heldout.engine.training import Recipe, fit

SMALL = 0.1  # starts up to this scale learn rank by rank; the others have all ranks from the beginning
NEAR = 3.0  # singular values so near to what the temperature resolves are counted neither way
BUDGET = 20_000.0  # gradients a chain
NAMES = ("1.weight", "3.weight")  # of the two layers; the first entry flattens and the third is the identity


def closed_form(size: int, hidden: int, rank: int) -> float:
    r"""Local learning coefficient of ``|B A - C|^2`` where A, B and their product C all have one rank.

    .. math:: \lambda = \frac{r (2 M - r)}{2} + \lambda_0(M - r, H - r), \quad
        \lambda_0(m, h) = \frac{4 h m - h^2 + (h \bmod 2)}{8}

    Around such a point the r directions that are there are regular, and what is left is a map of rank 0 between spaces smaller by r,
    at its origin (Aoyagi and Watanabe 2005, theorem 1, case 1: 0 < h <= 2 m).

    Args:
        size: Inputs M, as many as outputs, at least as many as hidden units.
        hidden: Units H.
        rank: r.

    Returns:
        The coefficient.

    Example:
        >>> closed_form(5, 3, 0), closed_form(5, 3, 2), closed_form(10, 5, 3)
        (6.5, 9.5, 32.0)
    """
    m, h = size - rank, hidden - rank
    return rank * (2 * size - rank) / 2 + (4 * h * m - h**2 + h % 2) / 8


def arm(table: pd.DataFrame, small: bool) -> pd.DataFrame:
    """Rows of the arm that starts small, or of the other, in the order of steps."""
    return table[(table.scale <= SMALL) == small].sort_values("step")


def rise(table: pd.DataFrame, small: bool) -> list[float]:
    """Learning coefficient at the end of training less that at its beginning."""
    return [float(own.coefficient.iloc[-1] - own.coefficient.iloc[0]) for _, own in arm(table, small).groupby("member")]


def rise_from_a_small_start(table: pd.DataFrame) -> list[float]:
    """Learning coefficient at the end of training less that at its beginning, from a small start."""
    return rise(table, True)


def rise_from_a_large_start(table: pd.DataFrame) -> list[float]:
    """The same from a start that has all ranks."""
    return rise(table, False)


def departure(table: pd.DataFrame, column: str) -> list[float]:
    """Mean over ranks of the absolute log ratio of the mean coefficient there to a column, where every rank was read."""
    rows = arm(table, True)
    rows = rows[rows.settled & rows.coefficient.notna()]
    ranks = int(table["rank"].max()) + 1
    found = []
    for _, own in rows.groupby("member"):
        means = own.groupby("rank")[["coefficient", column]].mean()
        away = np.abs(np.log(means.coefficient / means[column]))
        found.append(float(away.mean()) if len(means) == ranks else float("nan"))
    return found


def departure_from_closed_form(table: pd.DataFrame) -> list[float]:
    """Mean over ranks of the absolute log ratio of the coefficient to the closed form of the rank that is there."""
    return departure(table, "theory")


def departure_from_half_the_parameters(table: pd.DataFrame) -> list[float]:
    """The same to half the number of parameters, the coefficient of a regular model."""
    return departure(table, "half")


def smallest_step(table: pd.DataFrame) -> list[float]:
    """Smallest rise of the mean coefficient from one rank to the next, of which each has a smaller loss, from a small start."""
    rows = arm(table, True)
    rows = rows[rows.settled & rows.coefficient.notna()]
    ranks = range(int(table["rank"].max()) + 1)
    found = []
    for _, own in rows.groupby("member"):
        means = own.groupby("rank")[["coefficient", "loss"]].mean().reindex(ranks)
        falls = bool((means.loss.diff().iloc[1:] < 0).all())
        found.append(float(means.coefficient.diff().iloc[1:].min(skipna=False)) if falls else float("nan"))
    return found


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Loss, coefficient and closed form by step, one panel a scale of the start and quantity."""
    names = {"loss": "loss", "coefficient": "sampled", "theory": "closed form of the rank that is there"}
    long = table.rename(columns=names).melt(["scale", "step", "member"], list(names.values()), "curve").dropna()
    rows = long.groupby(["scale", "step", "curve"]).value.agg(y="mean", low="min", high="max").reset_index()
    panel = [
        f"{'loss' if curve == 'loss' else 'learning coefficient'}, start of scale {scale:g}"
        for scale, curve in zip(rows.scale, rows.curve, strict=True)
    ]
    return rows.rename(columns={"step": "x"}).assign(panel=panel).drop(columns="scale")


GRID = {"scale": [0.01, 1.0], "size": 5, "hidden": 2, "steps": 100}


@study(
    source="Furman and Lau 2024, Estimating the local learning coefficient at scale; Saxe et al. 2014; Chen et al. 2023, section 5",
    drawn=curves,
    axes={"x": "steps", "y": ""},
    sizes={
        "smoke": {**GRID, "size": 2, "hidden": 1, "readings": 3, "draws": 50, "precision": 0.3, "members": 2},
        "laptop": {**GRID, "readings": 17, "members": 4},
        "paper": {**GRID, "size": 12, "hidden": 5, "steps": 600, "readings": 60, "chains": 8, "draws": 1000,
                  "precision": 0.02, "members": 20},
    },
    claims=(
        Claim(
            "As training passes from stage to stage the learning coefficient rises; from a start with all ranks it does not.",
            "Chen et al. 2023, section 5; Furman and Lau 2024",
            rise_from_a_small_start, bar=1.75, control=rise_from_a_large_start,
        ),
        Claim(
            "Each time the loss falls the coefficient rises: opposing staircases.",
            "Chen et al. 2023, section 5",
            smallest_step, bar=0.75,
        ),
        Claim(
            "At each stage it is the closed form of the rank learned so far, and not half the number of parameters.",
            "Aoyagi and Watanabe 2005, theorem 1, at the stage's point of the fibre",
            departure_from_closed_form, bar=0.27, above=False, control=departure_from_half_the_parameters,
        ),
    ),
    notes="On a plateau a network is no minimum of the training loss, which has no coefficient there; its own map is taken for the "
    "truth. Bars lie halfway between the closed forms and the control. Closed forms are limits: at this temperature the coefficient "
    "is 7 % smaller at rank 0 and 5 % at rank 1. Of 136 readings 9 did not converge, and are no numbers.",
)  # fmt: skip
def stagewise_rank(
    *, scale: float, size: int, hidden: int, steps: int, readings: int, members: int,
    lr: float = 0.3, ratio: float = 0.25, nbeta: float = 1e4, localisation: float = 10.0, chains: int = 4, draws: int = 100,
    precision: float = 0.05, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Does the learning coefficient rise stage by stage while a linear network learns one rank after another?

    Two layers without biases learn a diagonal map with singular values that fall by a ratio from 2 on, on whitened inputs, by
    full-batch gradient descent. The learning coefficient at a step is that of ``|B A - B* A*|^2 / 2`` with the weights of that
    step as the truth, from chains around them; every member has sampling noise of its own. The rank that is there counts the
    singular values s of the map that the temperature resolves, ``n beta s^2 > 1``.

    Args:
        scale: Standard deviation of the weights at the start, times the root of a layer's inputs.
        size: Inputs and outputs.
        hidden: Units, and the rank of the map.
        steps: Of gradient descent.
        ratio: Of each singular value of the map to the one before.
        readings: Steps that are read, at equal distances.
        members: Initialisations.
        lr: Learning rate.
        nbeta: n times the inverse temperature.
        localisation: Precision of the Gaussian that holds the chains.
        chains: Of every network and reading.
        draws: Of a chain, fewer or more as the precision asks.
        precision: Standard error at which sampling ends.
        seed: Of initialisation and chains.

    Returns:
        ``member``, ``step``, ``loss``, ``rank`` that is there, ``settled`` (no singular value is near what is resolved),
        ``coefficient`` (NaN where there is none), ``theory`` of the rank, ``half`` the number of parameters, ``status``.

    Example:
        >>> tiny = {"size": 2, "hidden": 1, "steps": 4, "readings": 2, "draws": 50, "members": 1, "precision": 0.5}
        >>> table = stagewise_rank(**tiny, scale=0.01, nbeta=10.0, seed=0)
        >>> table["step"], table["rank"], table["half"]
        ([0, 4], [0, 0], [2.0, 2.0])
    """
    dense = find("dense").function
    population = Population.of(
        lambda: dense(inputs=size, widths=(hidden,), outputs=size, activation="identity", bias=False),
        members,
        seed=seed,
    )
    starts = {
        name: scale * torch.stack([
            torch.randn(tensor.shape[1:], generator=stream(seed, "start", name, m)) / tensor.shape[-1] ** 0.5
            for m in range(members)
        ])
        for name, tensor in population.parameters.items()
    }  # fmt: skip
    x = torch.eye(size) * size**0.5  # the mean over examples is then the squared distance of the maps
    wanted = torch.zeros(size, size)
    wanted[range(hidden), range(hidden)] = 2.0 * ratio ** torch.arange(hidden)
    kept: dict[int, dict[str, torch.Tensor]] = {}

    def on_record(step: int, now: Population) -> None:
        kept[step] = {name: tensor.detach().double().clone() for name, tensor in now.parameters.items()}

    at = sorted({round(step) for step in np.linspace(0, steps, readings)})
    recipe = Recipe(optimizer="sgd", lr=lr, momentum=0.0, batch_size=None, steps=steps, loss="squared-error")
    fit(population.with_tensors(starts, {}), (x, x @ wanted.T), recipe, seed=seed, at=at, on_record=on_record)
    stacked = {name: torch.cat([kept[step][name] for step in at]) for name in NAMES}
    networks = population.with_tensors(stacked, {})
    maps = stacked[NAMES[1]] @ stacked[NAMES[0]]
    own = torch.einsum("ni,moi->mno", x.double(), maps)
    half = Loss("half squared error", "regression", lambda given, truth: 0.5 * (given - truth).square().sum(1))
    field = NetworkField(networks, Examples(x.double(), own, y_per_member=True), half, NAMES)
    gammas = torch.full((len(networks),), localisation, dtype=torch.float64)
    settings = Settings(chains=chains, draws=draws, sampler="hmc", budget=BUDGET, precision=precision, seed=seed)
    found = coefficients(field, settings, nbeta=nbeta, localisations=gammas, seeds=list(range(members)) * len(at))
    seen = torch.linalg.svdvals(maps)[:, :hidden] * nbeta**0.5
    ranks = (seen > 1).sum(1).tolist()
    return {
        "member": list(range(members)) * len(at),
        "step": np.repeat(at, members).tolist(),
        "loss": (0.5 * (maps - wanted.double()).square().sum((1, 2))).tolist(),
        "rank": ranks,
        "settled": (~((seen > 1 / NEAR) & (seen < NEAR)).any(1)).tolist(),
        "coefficient": [each.value for each in found],
        "theory": [closed_form(size, hidden, rank) for rank in ranks],
        "half": [float(size * hidden)] * len(ranks),
        "status": [each.status for each in found],
        "reason": [each.reason for each in found],
    }
