"""Gradient descent on separable data: the direction tends to that of the largest margin, as slowly as a logarithm."""

import numpy as np
import pandas as pd

from heldout.catalog import Claim, study


def short_of_margin(table: pd.DataFrame, loss: str = "logistic") -> list[float]:
    """How much of the largest margin the direction still lacks at the last step, as a share, under the logistic loss."""
    last = table[(table.loss == loss) & (table.step == table.step.max())].sort_values("member")
    return list(1 - last.margin / last.largest_margin)


def short_under_squared_loss(table: pd.DataFrame) -> list[float]:
    """The same under the squared loss."""
    return short_of_margin(table, "squared")


def deviation_of_growth(table: pd.DataFrame, loss: str = "logistic") -> list[float]:
    """Distance from 1 of the norm's growth per unit of log steps over the last decade, times the largest margin."""
    rows = table[(table.loss == loss) & (table.step >= table.step.max() / 10)]
    return [
        abs(float(np.polyfit(np.log(own.step), own.norm, 1)[0] * own.largest_margin.iloc[0] - 1))
        for _, own in rows.groupby("member")
    ]


def deviation_under_squared_loss(table: pd.DataFrame) -> list[float]:
    """The same under the squared loss, whose solution stays finite."""
    return deviation_of_growth(table, "squared")


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean share of the largest margin along training."""
    rows = table.assign(y=table.margin / table.largest_margin)
    means = rows.groupby(["loss", "step"]).y.mean().reset_index()
    return means.rename(columns={"step": "x", "loss": "curve"})


@study(
    source="Soudry et al. 2018, theorems 3 and 5",
    sizes={
        "smoke": {"loss": ["logistic", "squared"], "members": 30, "examples": 60, "steps": 30_000},
        "laptop": {"loss": ["logistic", "squared"], "members": 30, "examples": 60, "steps": 300_000},
        "paper": {"loss": ["logistic", "squared"], "members": 30, "examples": 60, "steps": 10_000_000},
    },
    drawn=drawn,
    axes={"x": "step", "y": "share of the largest margin", "log_x": True},
    claims=(
        Claim(
            "The direction of gradient descent on the logistic loss tends to that of the largest margin.",
            "Soudry et al. 2018, theorem 3", short_of_margin, bar=0.06, above=False, control=short_under_squared_loss,
        ),
        Claim(
            "The norm grows like the logarithm of the steps over the largest margin.",
            "Soudry et al. 2018, theorem 3", deviation_of_growth, bar=0.5, above=False, control=deviation_under_squared_loss,
        ),
    ),
)  # fmt: skip
def maximum_margin(
    *, loss: str, members: int, examples: int, steps: int, lr: float = 0.5, seed: int
) -> dict[str, np.ndarray]:
    r"""Which of the many separating directions does gradient descent find?

    Two clouds in the plane, separable through the origin; full-batch gradient descent from zero on the mean loss of y w.x. The
    largest margin max_{\|w\|=1} min_i y_i w.x_i is found by scanning all directions.

    Args:
        loss: ``logistic`` or ``squared``.
        members: Seeds.
        examples: Of each.
        steps: Of gradient descent.
        lr: Its rate.
        seed: Of the data.

    Returns:
        A row a seed and recorded step: member, step, norm, margin (normalised), largest_margin.

    Example:
        >>> rows = maximum_margin(loss="logistic", members=2, examples=20, steps=100, seed=0)
        >>> bool((rows["margin"] <= rows["largest_margin"] + 1e-9).all())
        True
    """
    draw = np.random.default_rng(seed)
    # around (1.5, 0.5) on the label's side, kept at least 0.3 away from the line through the origin
    signed = np.array([1.5, 0.5]) + 0.6 * draw.standard_normal((members, examples, 2))
    normal = np.array([1.5, 0.5]) / np.hypot(1.5, 0.5)
    lack = np.maximum(0.3 - signed @ normal, 0)
    signed = signed + lack[..., None] * normal  # y x, all that the losses see
    marks = set(np.unique(np.geomspace(10, steps, 30).astype(int)).tolist())
    w = np.zeros((members, 2))
    rows: list[tuple[int, np.ndarray]] = []
    for step in range(1, steps + 1):
        scores = (signed * w[:, None, :]).sum(-1)
        slope = -1 / (1 + np.exp(np.minimum(scores, 700))) if loss == "logistic" else 2 * (scores - 1)
        w = w - lr * (slope[..., None] * signed).mean(1) * (1 if loss == "logistic" else 0.1)
        if step in marks:
            rows.append((step, w))
    largest = _largest_margin(signed)
    table = [
        (member, step, norm := float(np.linalg.norm(at[member])), float((signed[member] @ at[member]).min() / norm))
        for step, at in rows
        for member in range(members)
    ]
    columns = [np.array(column) for column in zip(*table, strict=True)]
    return {
        "member": columns[0], "step": columns[1], "norm": columns[2], "margin": columns[3],
        "largest_margin": largest[columns[0]],
    }  # fmt: skip


def _largest_margin(signed: np.ndarray) -> np.ndarray:
    """By scanning directions, then again around the best, ``[M]``."""
    best = np.zeros(len(signed))
    for place, points in enumerate(signed):
        low, high = -np.pi, np.pi
        for _ in range(6):
            angles = np.linspace(low, high, 2001)
            margins = (points @ np.stack([np.cos(angles), np.sin(angles)])).min(0)
            centre, width = angles[margins.argmax()], (high - low) / 100
            low, high = centre - width, centre + width
        best[place] = margins.max()
    return best
