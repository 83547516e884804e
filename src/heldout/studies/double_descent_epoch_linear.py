"""Epoch-wise double descent of a diagonal linear model, exactly, and its removal by step sizes of each layer's own."""

import numpy as np
import pandas as pd

from heldout.catalog import Claim, study


def second_rise(risks: np.ndarray) -> float:
    """Largest log rise of a risk curve before its lowest point: zero for a single U."""
    before = np.log(risks[: int(risks.argmin()) + 1])
    return float((before - np.minimum.accumulate(before)).max())


def arm(table: pd.DataFrame, slow: float) -> pd.DataFrame:
    """The rows of one step size of the slow mode."""
    return table[table.slow == slow].sort_values("step")


def exact_rise(table: pd.DataFrame) -> list[float]:
    """Largest log rise of the closed-form risk before its lowest point, one step size for both modes."""
    return [second_rise(arm(table, table.slow.min()).drop_duplicates("step").theory.to_numpy())]


def exact_rise_scaled(table: pd.DataFrame) -> list[float]:
    """The same with the slow mode's step size raised."""
    return [second_rise(arm(table, table.slow.max()).drop_duplicates("step").theory.to_numpy())]


def descended(table: pd.DataFrame, slow: float) -> list[float]:
    """Largest log rise of the mean risk under gradient descent before its lowest point, by fold."""
    means = arm(table, slow).pivot(index="step", columns="member", values="descent")
    return [second_rise(means[member].to_numpy()) for member in means]


def measured_rise(table: pd.DataFrame) -> list[float]:
    """Largest log rise of the mean risk of gradient descent before its lowest point, one step size, by fold."""
    return descended(table, table.slow.min())


def measured_rise_scaled(table: pd.DataFrame) -> list[float]:
    """The same with the slow mode's step size raised."""
    return descended(table, table.slow.max())


def deviation_from_theory(table: pd.DataFrame) -> list[float]:
    """Largest relative deviation of gradient descent's mean risk from the closed form, over steps and step sizes."""
    means = table.groupby(["slow", "step"])[["descent", "theory"]].mean()
    return [float((means.descent / means.theory - 1).abs().max())]


def log_gain(table: pd.DataFrame) -> list[float]:
    """Log ratio of the lowest closed-form risk with one step size to that with the slow mode's raised."""
    lowest = table.groupby("slow").theory.min()
    return [float(np.log(lowest.iloc[0] / lowest.iloc[-1]))]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Closed form and mean risk of gradient descent by step, one panel a step size of the slow mode."""
    names = {"theory": "closed form", "descent": "gradient descent"}
    means = table[table.step > 0].groupby(["slow", "step"])[list(names)].mean().rename(columns=names).reset_index()
    rows = means.melt(["slow", "step"], var_name="curve", value_name="y").rename(columns={"step": "x"})
    return rows.assign(panel=[f"slow mode's step size x {slow:g}" for slow in rows.slow]).drop(columns="slow")


@study(
    source="Heckel and Yilmaz 2021, section 2 and figure 2",
    drawn=curves,
    axes={"x": "steps", "y": "excess risk", "log_x": True},
    sizes={
        "smoke": {"slow": [1.0, 43.0], "steps": 3000, "repetitions": 10000},
        "laptop": {"slow": [1.0, 5.0, 43.0], "steps": 10000, "repetitions": 40000},
        "paper": {"slow": [1.0, 2.0, 5.0, 10.0, 20.0, 43.0], "steps": 20000, "repetitions": 200000},
    },
    claims=(
        Claim(
            "The risk falls, rises and falls again over the steps; the slow mode's own step size leaves a single U.",
            "Heckel and Yilmaz 2021, section 2.2",
            exact_rise, bar=0.0185, control=exact_rise_scaled, exact=True,
        ),
        Claim(
            "Gradient descent on drawn labels has the closed form as its mean.",
            "Heckel and Yilmaz 2021, proposition 1",
            deviation_from_theory, bar=0.05, above=False, exact=True,
        ),
        Claim(
            "Gradient descent on drawn labels shows the second rise, and loses it with the slow mode's own step size.",
            "Heckel and Yilmaz 2021, section 2.2",
            measured_rise, bar=0.0185, control=measured_rise_scaled,
        ),
        Claim(
            "Removing the second rise lowers the best risk that early stopping finds.",
            "Heckel and Yilmaz 2021, section 2.3",
            log_gain, bar=0.0, exact=True,
        ),
    ),
    notes="The model is linear with a design whose columns are orthogonal, where the formula is exact. In small networks on "
    "digits only a U was seen, or a transient of too large a step size: no such study is offered.",
)  # fmt: skip
def double_descent_epoch_linear(
    *, slow: float, steps: int, repetitions: int, deviations: tuple[float, float] = (1.0, 0.15),
    coefficients: tuple[float, float] = (0.45, 3.0), examples: int = 10, noise: float = 1.0, lr: float = 0.1, seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Can the risk fall, rise and fall again over the steps of gradient descent, and do step sizes of each mode's own mend it?

    Gradient descent from zero on ``|X theta - y|^2 / (2 n)``, ``y = X theta* + noise z``, X with orthogonal columns of lengths
    ``sqrt(n) sigma_i``, step sizes eta_i. The excess risk over inputs of variances sigma_i^2 after k steps has the mean
    ``sum_i sigma_i^2 theta*_i^2 r_i^(2 k) + (noise^2 / n) (1 - r_i^k)^2`` with ``r_i = 1 - eta_i sigma_i^2``: a U for each
    mode, with its lowest point at a time of its own.

    Args:
        slow: Factor on the second mode's step size.
        steps: k at most; 150 of them are recorded, spaced by logarithm, and the start.
        repetitions: Independent draws of design and label noise.
        deviations: sigma.
        coefficients: theta*.
        examples: n.
        noise: Standard deviation of the labels' noise.
        lr: Step size of the first mode.
        seed: Of the draws.

    Returns:
        ``member`` (a tenth of the repetitions), ``step``, ``descent`` (its mean risk under gradient descent), ``theory``.

    Example:
        >>> table = double_descent_epoch_linear(slow=1.0, steps=3000, repetitions=10, seed=0)
        >>> float(table["theory"].min().round(3)), int(table["step"][table["theory"].argmin()])
        (0.167, 483)
    """
    variances, wanted = np.square(deviations), np.asarray(coefficients)
    draw = np.random.default_rng(seed)
    basis = np.linalg.qr(draw.standard_normal((repetitions, examples, 2)))[0]
    x = np.sqrt(examples) * basis * np.asarray(deviations)
    y = x @ wanted + noise * draw.standard_normal((repetitions, examples))
    gram, moment = x.swapaxes(1, 2) @ x / examples, np.einsum("rni,rn->ri", x, y) / examples
    rates = lr * np.array([1.0, slow])
    recorded = np.unique(np.concatenate([[0], np.geomspace(1, steps, 150).round()])).astype(int)
    fold, theta, risks = np.arange(repetitions) * min(10, repetitions) // repetitions, np.zeros_like(moment), []
    for step in range(steps + 1):
        if step in recorded:
            risk = ((theta - wanted) ** 2 * variances).sum(1)
            risks.append(np.bincount(fold, risk) / np.bincount(fold))
        theta = theta - rates * (np.einsum("rij,rj->ri", gram, theta) - moment)
    shrinkage = (1 - rates * variances) ** recorded[:, None]
    bias, variance = variances * wanted**2 * shrinkage**2, noise**2 / examples * (1 - shrinkage) ** 2
    members = len(risks[0])
    return {
        "member": np.tile(np.arange(members), len(recorded)),
        "step": recorded.repeat(members),
        "descent": np.concatenate(risks),
        "theory": (bias + variance).sum(1).repeat(members),
    }
