"""No estimate of the risk can be tight in every world: two worlds that show the same sample and the same network."""

import numpy as np
import pandas as pd

from heldout.catalog import Claim, study
from heldout.engine.numerics.finite_fields import full_rank_probability, row_reduced

WORLDS = ("arbitrary", "subspace")


def of_largest(table: pd.DataFrame, column: str, world: str) -> list[float]:
    """A column of one world at the largest field, fold by fold."""
    rows = table[(table.field == table.field.max()) & (table.world == world)]
    return list(rows.groupby("member")[column].mean())


def loss_in_the_arbitrary_world(table: pd.DataFrame) -> list[float]:
    """True loss where the target is arbitrary, among runs whose learner found a function of the subspace, largest field."""
    return of_largest(table, "loss_when_found", "arbitrary")


def loss_in_the_subspace_world(table: pd.DataFrame) -> list[float]:
    """The same where the target lies in the subspace."""
    return of_largest(table, "loss_when_found", "subspace")


def error_of_every_estimator(table: pd.DataFrame) -> list[float]:
    """Half the distance between the two worlds' losses on draws of full rank: what any estimator errs in one of them."""
    return list(
        np.subtract(
            of_largest(table, "loss_of_full_rank", "arbitrary"), of_largest(table, "loss_of_full_rank", "subspace")
        )
        / 2
    )


def distance_from_full_rank(table: pd.DataFrame) -> list[float]:
    """Largest distance of the share of full-rank draws from its closed form over the fields."""
    means = table.groupby("field")[["full_rank", "theory"]].mean()
    return [float((means.full_rank - means.theory).abs().max())]


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean losses of both worlds by the size of the field."""
    means = table.groupby(["field", "world"]).loss.mean().reset_index()
    return means.rename(columns={"field": "x", "loss": "y", "world": "curve"})


@study(
    source="Gastpar, Nachum, Shafer and Weinberger 2024 (arXiv 2309.13658), theorems 3 to 5; the construction is heldout's",
    sizes={
        "smoke": {"field": [2, 3, 5, 13], "world": list(WORLDS), "dimension": 20, "examples": 10, "repetitions": 2000},
        "laptop": {"field": [2, 3, 5, 7, 13, 31], "world": list(WORLDS), "dimension": 20, "examples": 10, "repetitions": 10000},
        "paper": {"field": [2, 3, 5, 7, 13, 31, 101], "world": list(WORLDS), "dimension": 40, "examples": 20, "repetitions": 10000},
    },
    drawn=drawn,
    axes={"x": "size of the field", "y": "true loss", "log_x": True},
    claims=(
        Claim(
            "A learner that does well on one subspace of linear functions over a finite field shows the same output where it "
            "does badly.",
            "Gastpar et al. 2024, theorem 3", loss_in_the_arbitrary_world, bar=0.5, control=loss_in_the_subspace_world,
        ),
        Claim(
            "Any estimator of its risk from sample and output errs by nearly one half in one of the two worlds.",
            "Gastpar et al. 2024, theorem 3", error_of_every_estimator, bar=0.4,
        ),
        Claim(
            "Samples determine a function of the subspace as often as random square matrices are invertible.",
            "Closed form: product of 1 - q^-i", distance_from_full_rank, bar=0.03, above=False, exact=True,
        ),
    ),
)  # fmt: skip
def impossibility(
    *, field: int, world: str, dimension: int, examples: int, repetitions: int, seed: int
) -> dict[str, np.ndarray]:
    r"""Can any function of the sample and the learned network estimate the risk well in every world?

    Linear functions over F_q in d variables; n = d/2 uniformly random inputs. The learner returns a consistent function that uses
    the first n coordinates only, if there is one, and a random consistent function otherwise. In the world *subspace* the target
    uses those coordinates; in the world *arbitrary* it is any linear function. Two different linear functions disagree on 1 - 1/q
    of all inputs, so the true loss is that, or 0. Where the first n columns of the sample have full rank the learner's output has
    the same law in both worlds, given the inputs.

    Args:
        field: q, a prime.
        world: ``subspace`` or ``arbitrary``.
        dimension: d, even.
        examples: n.
        repetitions: Draws.
        seed: Of them.

    Returns:
        Ten rows, one a fold of the draws: member, loss, loss_when_found (among runs in the subspace), full_rank (share),
        loss_of_full_rank, theory (of full_rank).

    Example:
        >>> rows = impossibility(field=13, world="subspace", dimension=8, examples=4, repetitions=500, seed=0)
        >>> float(rows["loss_of_full_rank"].max())
        0.0
    """
    draw = np.random.default_rng([seed, field, world == "subspace"])
    x = draw.integers(0, field, (repetitions, examples, dimension))
    target = draw.integers(0, field, (repetitions, dimension))
    half = dimension // 2
    if world == "subspace":
        target[:, half:] = 0
    y = np.einsum("rnd,rd->rn", x, target) % field
    reduced = row_reduced(np.concatenate([x[:, :, :half], y[:, :, None]], axis=2), field)
    full = (reduced[:, :, :half] != 0).any(2).sum(1) == half
    found = ~((reduced[:, :, :half] == 0).all(2) & (reduced[:, :, half] != 0)).any(1)  # no row says 0 = c
    # among the consistent functions of the subspace the learner draws one: exact when the rank is full, else by free entries
    learned = _solution(reduced, half, field, draw)
    same = (learned == target[:, :half]).all(1) & (target[:, half:] == 0).all(1)
    loss = np.where(
        found & same, 0.0, 1 - 1 / field
    )  # a random consistent function is the target with chance q^-n only
    fold = np.arange(repetitions) * 10 // repetitions
    frame = pd.DataFrame({"fold": fold, "loss": loss, "found": found, "full": full})
    groups = frame.groupby("fold")
    return {
        "member": np.arange(10),
        "loss": groups.loss.mean().to_numpy(),
        "loss_when_found": frame[frame.found].groupby("fold").loss.mean().to_numpy(),
        "full_rank": groups.full.mean().to_numpy(),
        "loss_of_full_rank": frame[frame.full].groupby("fold").loss.mean().to_numpy(),
        "theory": np.full(10, full_rank_probability(half, field)),
    }


def _solution(reduced: np.ndarray, half: int, field: int, draw: np.random.Generator) -> np.ndarray:
    """A uniformly random solution of each reduced system: free entries drawn, the others follow."""
    answer = draw.integers(0, field, (len(reduced), half))
    every = np.arange(len(reduced))
    for row in range(reduced.shape[1] - 1, -1, -1):
        coefficients = reduced[:, row, :half]
        has, pivot = (coefficients != 0).any(1), (coefficients != 0).argmax(1)
        rest = (coefficients * answer).sum(1) - answer[every, pivot] * coefficients[every, pivot]
        answer[every, pivot] = np.where(has, (reduced[:, row, half] - rest) % field, answer[every, pivot])
    return answer
