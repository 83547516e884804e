"""Grokking in ridge regression, exactly: what the data do not see is forgotten at the pace of weight decay alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from heldout.catalog import Claim, study

#: Steps at which the curves are recorded.
RECORDED = 60


def arrivals(table: pd.DataFrame) -> pd.DataFrame:
    """One row a member, ridge and scale of the start: when training and test error arrived, and when they should."""
    return table.drop_duplicates(["member", "ridge", "start"])


def pace(table: pd.DataFrame, column: str) -> list[float]:
    """Distance from 1 of the slope of the log arrival over the log of 1 / ridge, from a start of norm 1."""
    rows = arrivals(table[table.start == 1.0])
    rows = rows.assign(x=-np.log(rows.ridge), y=np.log(rows[column]))
    return [float(abs(np.polyfit(of.x, of.y, 1)[0] - 1)) for _, of in rows.groupby("member") if len(of) > 1]


def pace_of_generalizing(table: pd.DataFrame) -> list[float]:
    """Distance from 1 of the slope of the log step at which test error arrives over log 1/ridge, from a start of norm 1."""
    return pace(table, "generalized_at")


def pace_of_fitting(table: pd.DataFrame) -> list[float]:
    """The same of the step at which training error arrives."""
    return pace(table, "fitted_at")


def log_delay(table: pd.DataFrame, start: float) -> list[float]:
    """Mean over ridges of the log ratio of the two arrivals, by member."""
    rows = arrivals(table[table.start == start])
    rows = rows.assign(ratio=np.log(rows.generalized_at / rows.fitted_at))
    return list(rows.groupby("member").ratio.mean())


def delay_from_one(table: pd.DataFrame) -> list[float]:
    """Mean log ratio of the step at which test error arrives to that of training error, from a start of norm 1."""
    return log_delay(table, 1.0)


def delay_from_zero(table: pd.DataFrame) -> list[float]:
    """The same from a start at zero."""
    return log_delay(table, 0.0)


def deviation_from_theory(table: pd.DataFrame) -> list[float]:
    """Largest relative deviation of the mean step of generalization from its closed form, from starts of norm 0.5 or more."""
    rows = arrivals(table[table.start >= 0.5])
    means = rows.groupby(["ridge", "start"])[["generalized_at", "theory"]].mean()
    return [float((means.generalized_at / means.theory - 1).abs().max())]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Training and test error by step, medians over members, from a start of norm 1 and from zero."""
    names = {"train": "training error", "test": "test error"}
    rows = table[table.start.isin([0.0, 1.0])].rename(columns=names)
    rows = rows.groupby(["start", "ridge", "step"])[list(names.values())].median().reset_index()
    rows = rows.melt(["start", "ridge", "step"], var_name="error", value_name="y").rename(columns={"step": "x"})
    panel = [f"{error}, start of norm {start:g}" for error, start in zip(rows.error, rows.start, strict=True)]
    curve = [f"ridge {ridge:g}" for ridge in rows.ridge]
    return rows.assign(panel=panel, curve=curve).drop(columns=["start", "ridge", "error"])


GRID = {"ridge": [3e-3, 1e-3, 3e-4], "start": [0.0, 0.5, 1.0, 3.0], "dimension": 400, "examples": 100}


@study(
    source="Xu, Vardi and Safran 2026, arXiv 2601.19791",
    drawn=curves,
    axes={"x": "steps", "y": "squared error", "log_x": True, "log_y": True},
    sizes={
        "smoke": {**GRID, "members": 5},
        "laptop": {**GRID, "ridge": [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5], "members": 20},
        "paper": {**GRID, "ridge": [1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5], "dimension": 2000, "examples": 500,
                  "members": 50},
    },
    claims=(
        Claim(
            "The step of generalization grows as one over the ridge; the step of fitting does not.",
            "Xu, Vardi and Safran 2026",
            pace_of_generalizing, bar=0.2, above=False, control=pace_of_fitting,
        ),
        Claim(
            "Generalization comes long after fitting; from a start at zero there is no delay.",
            "Xu, Vardi and Safran 2026",
            delay_from_one, bar=3.5, control=delay_from_zero,
        ),
        Claim(
            "The delay is ln(r^2 (1 - n/d) / target) / (2 step size ridge): linear in the log of the start.",
            "closed form",
            deviation_from_theory, bar=0.1, above=False, exact=True,
        ),
    ),
    notes="The teacher lies in the span of the training inputs: what they do not see no method could learn, and there the only "
    "right answer is to forget the start.",
)  # fmt: skip
def ridge_grokking(
    *, ridge: float, start: float, dimension: int, examples: int, members: int, signal: float = 1.0, target: float = 0.02,
    lr: float = 0.1, seed: int,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:  # fmt: skip
    """Does ridge regression with fewer examples than dimensions generalize long after it fits, and what sets the delay?

    Gradient descent on ``|X w - X b|^2 / (2 n) + ridge |w|^2 / 2``, Gaussian X, ``|b|`` = signal in the span of X, start of
    random direction and norm r. In the coordinates of the singular vectors ``w_i(t) = w*_i + (1 - lr (s_i^2 / n + ridge))^t
    (w_i(0) - w*_i)`` with ``w*_i = s_i^2 b_i / (s_i^2 + n ridge)``, and what X does not see decays as ``(1 - lr ridge)^t``:
    no step is simulated. Test error is ``|w - b|^2``, training error ``|X (w - b)|^2 / n``.

    Args:
        ridge: On the squared norm, beside the mean squared error over the examples.
        start: r.
        dimension: d.
        examples: n.
        members: Draws of inputs, teacher and start, the same for every ridge and norm.
        signal: Norm of the teacher.
        target: Error at which fitting and generalization have arrived.
        lr: Step size; the largest rate ``lr (s^2 / n + ridge)`` must stay below 2.
        seed: Of the draws.

    Returns:
        ``member``, ``step``, ``train``, ``test`` errors; ``fitted_at``, ``generalized_at``: the first steps at or below the
        target (infinite if the end stays above it); ``theory`` of the latter, zero where none is due.

    Example:
        >>> table = ridge_grokking(ridge=1e-3, start=1.0, dimension=80, examples=20, members=2, seed=0)
        >>> bool((table["generalized_at"] > 50 * table["fitted_at"]).all())
        True
    """
    draw = np.random.default_rng(seed)
    _, values, right = np.linalg.svd(draw.standard_normal((members, examples, dimension)), full_matrices=False)
    teacher = draw.standard_normal(values.shape)
    teacher *= signal / np.linalg.norm(teacher, axis=1, keepdims=True)
    begun = draw.standard_normal((members, dimension))
    begun *= start / np.linalg.norm(begun, axis=1, keepdims=True)
    seen = np.einsum("mid,md->mi", right, begun)
    unseen = np.maximum((begun**2).sum(1) - (seen**2).sum(1), 0.0)
    curvature = values**2 / examples
    optimum = curvature * teacher / (curvature + ridge)
    decay, forgetting = 1 - lr * (curvature + ridge), 1 - lr * ridge

    def errors(steps: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Training and test errors, ``[M, T]``, at steps ``[M, T]``."""
        off = optimum[:, None] - teacher[:, None] + decay[:, None] ** steps[..., None] * (seen - optimum)[:, None]
        return (
            (curvature[:, None] * off**2).sum(-1),
            (off**2).sum(-1) + unseen[:, None] * forgetting ** (2.0 * steps),
        )

    last = int(np.ceil(20 / (lr * ridge)))
    recorded = np.unique(np.geomspace(1, last, RECORDED).round().astype(np.int64))
    train, test = errors(np.broadcast_to(recorded, (members, len(recorded))))
    excess = max(1.0, start**2 * (1 - examples / dimension) / target)  # an error below the target needs no forgetting
    per_member = {
        "fitted_at": _first_step(lambda steps: errors(steps)[0], target, last, members),
        "generalized_at": _first_step(lambda steps: errors(steps)[1], target, last, members),
        "theory": np.full(members, np.log(excess) / (2 * lr * ridge)),
    }
    return {
        "member": np.arange(members).repeat(len(recorded)),
        "step": np.tile(recorded, members),
        "train": train.ravel(),
        "test": test.ravel(),
        **{name: column.repeat(len(recorded)) for name, column in per_member.items()},
    }


def _first_step(
    error: Callable[[NDArray[np.int64]], NDArray[np.float64]], target: float, last: int, members: int
) -> NDArray[np.float64]:
    """The first step at or below the target by bisection; errors that pass it do not come back at these step sizes."""
    low, high = np.zeros((members, 1), np.int64), np.full((members, 1), last)
    reached = error(high) <= target
    while (high - low > 1).any():
        middle = (low + high) // 2
        below = error(middle) <= target
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return np.where(reached, high, np.inf)[:, 0]
