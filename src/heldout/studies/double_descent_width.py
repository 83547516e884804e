"""Double descent by width: trained networks around the width at which they begin to fit noisy labels."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.training import Recipe, fit
from heldout.engine.training.outcomes import errors

NOISE = 0.2


def curve(table: pd.DataFrame, column: str, noise: float) -> pd.DataFrame:
    """A column by width (down) and seed (across), of one level of label noise."""
    rows = table[np.isclose(table.label_noise, noise)]
    return rows.pivot(index="width", columns="member", values=column).sort_index()


def peak(errors_by_width: pd.DataFrame) -> list[float]:
    """How far the test error rises from its least at smaller widths to the highest that follows, seed by seed."""
    rises = errors_by_width - errors_by_width.cummin()
    return [float(value) for value in rises.iloc[:-1].max()]


def rise_with_noise(table: pd.DataFrame) -> list[float]:
    """Largest rise of the test error above its least at smaller widths, with label noise."""
    return peak(curve(table, "test_error", table.label_noise.max()))


def rise_without_noise(table: pd.DataFrame) -> list[float]:
    """The same without label noise."""
    return peak(curve(table, "test_error", 0.0))


def second_descent(table: pd.DataFrame) -> list[float]:
    """Highest test error after the first minimum, minus the test error of the widest networks, with label noise."""
    errors_by_width = curve(table, "test_error", table.label_noise.max())
    later = errors_by_width.where(errors_by_width.index.to_series().ge(_first_minimum(errors_by_width)), axis=0)
    return [float(value) for value in later.max() - errors_by_width.iloc[-1]]


def distance_from_threshold(table: pd.DataFrame) -> list[float]:
    """Absolute log2 of the width of the highest mean test error over the first width that fits all training labels."""
    noise = table.label_noise.max()
    tests, trains = (curve(table, column, noise).mean(axis=1) for column in ("test_error", "train_error"))
    later = tests[tests.index >= _first_minimum(tests.to_frame())]
    fitted = trains[trains <= 0.001]
    return [abs(float(np.log2(later.idxmax() / fitted.index[0])))] if len(fitted) else [float("nan")]


def rise_when_stopped_early(table: pd.DataFrame) -> list[float]:
    """Largest rise of the best test error over training above its least at smaller widths, with label noise."""
    return peak(curve(table, "best_error", table.label_noise.max()))


def _first_minimum(errors_by_width: pd.DataFrame) -> float:
    means = errors_by_width.mean(axis=1)
    rising = np.flatnonzero(np.diff(means.to_numpy()) > 0)
    return float(means.index[rising[0]]) if len(rising) else float(means.index[-1])


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean errors with their spread over seeds, by width, a panel a level of noise."""
    labels = {"train_error": "training error", "test_error": "test error at the end", "best_error": "best test error"}
    rows = table.melt(["width", "label_noise", "member"], list(labels), var_name="curve", value_name="y")
    grouped = rows.groupby(["width", "label_noise", "curve"]).y.agg(["mean", "sem"]).reset_index()
    return grouped.assign(
        x=grouped.width, y=grouped["mean"], low=grouped["mean"] - grouped["sem"].fillna(0),
        high=grouped["mean"] + grouped["sem"].fillna(0), curve=grouped.curve.map(labels),
        panel=[f"{share:.0%} label noise" for share in grouped.label_noise],
    )[["x", "y", "low", "high", "curve", "panel"]]  # fmt: skip


@study(
    source="Belkin et al. 2019; Nakkiran et al. 2020, sections 4 and 5",
    sizes={
        "smoke": {"width": [4, 15, 200], "label_noise": [0.0, NOISE], "members": 3, "examples": 300, "steps": 600},
        "laptop": {
            "width": [3, 4, 6, 8, 10, 12, 15, 20, 30, 60, 150, 500], "label_noise": [0.0, NOISE], "members": 12,
            "examples": 500, "steps": 2500,
        },
        "paper": {
            "width": [*range(2, 22, 2), 24, 30, 40, 60, 100, 200, 500, 1000], "label_noise": [0.0, 0.1, NOISE], "members": 5,
            "examples": 1000, "steps": 20000,
        },
    },
    drawn=drawn,
    axes={"x": "width", "y": "error", "log_x": True},
    claims=(
        Claim(
            "With label noise the test error rises again as networks grow towards the width that fits the training labels.",
            "Nakkiran et al. 2020, figure 4", rise_with_noise, bar=0.045, control=rise_without_noise,
        ),
        Claim(
            "Beyond that width the test error falls again.",
            "Belkin et al. 2019; Nakkiran et al. 2020, figure 4", second_descent, bar=0.03,
        ),
        Claim(
            "The peak stands within a factor of two of the first width that fits all training labels.",
            "Nakkiran et al. 2020, hypothesis 1", distance_from_threshold, bar=1.01, above=False, exact=True,
        ),
        Claim(
            "Stopped at their best step networks show no peak.",
            "Nakkiran et al. 2020, section 5", rise_when_stopped_early, bar=0.04, above=False, control=rise_with_noise,
        ),
    ),
    notes="Bars lie halfway between effect and control as they were with five seeds. "
    "The best step is chosen on the test data, as in the paper: it shows what early stopping could do, not what it does.",
)  # fmt: skip
def double_descent_width(
    *, width: int, label_noise: float, members: int, examples: int, steps: int, data: Any = None, seed: int
) -> dict[str, Any]:
    """Does the test error of trained networks rise and fall again as they are widened?

    One hidden layer on digits, a share of the training labels drawn anew, Adam at 0.005 on batches of 100. Seeds share data and
    noise over the widths. Recorded at log-spaced steps.

    Args:
        width: Of the hidden layer.
        label_noise: Share of the labels that are drawn anew, uniformly.
        members: Seeds.
        examples: Of the training set.
        steps: Of training.
        data: Your own ``((x, y), (x_test, y_test))``.
        seed: Of everything.

    Returns:
        A row a seed: member, train_error, test_error, best_error (over the recorded steps).

    Example:
        >>> rows = double_descent_width(width=4, label_noise=0.2, members=2, examples=100, steps=20, seed=0)
        >>> bool((rows["best_error"] <= rows["test_error"]).all())
        True
    """
    (x, y), (x_test, y_test) = data if data is not None else find("digits").function(train_size=examples, seed=seed)
    inputs, classes = int(x[0].numel()), int(y.max()) + 1
    recipe = Recipe(optimizer="adam", lr=0.005, batch_size=min(100, len(y)), steps=steps, label_noise=label_noise)
    seen: list[torch.Tensor] = []

    def make() -> Any:
        return find("dense").function(inputs=inputs, widths=(width,), outputs=classes)

    marks = sorted({steps, *(int(steps * share**2) for share in np.linspace(0.05, 1, 20))})
    fitted = fit(
        Population.of(make, members, seed=seed), (x, y), recipe, seed=seed, at=marks,
        on_record=lambda _step, now: seen.append(errors(now, x_test, y_test)),
    )  # fmt: skip
    labels = fitted.train.labels(members)
    return {
        "member": np.arange(members),
        "train_error": errors(fitted.final, x, labels).numpy(),
        "test_error": seen[-1].numpy(),
        "best_error": torch.stack(seen).amin(0).numpy(),
    }
