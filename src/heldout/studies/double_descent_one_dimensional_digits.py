"""Double descent on MNIST-1D with noisy labels: by width, and by epoch."""

from typing import Any

import numpy as np
import pandas as pd
import torch

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.training import Recipe, errors, fit

NOISE = 0.15


def at_the_end(table: pd.DataFrame, column: str, noise: float) -> pd.DataFrame:
    """A column after the last step, by width (down) and seed (across), at one level of label noise."""
    rows = table[(table.step == table.step.max()) & np.isclose(table.label_noise, noise)]
    return rows.pivot(index="width", columns="member", values=column).sort_index()


def peak(errors_along: pd.DataFrame) -> list[float]:
    """Height of the highest peak, the smaller of its rise from an earlier least and its fall to a later one, column by column.

    Args:
        errors_along: One column a seed, rows in the order of width or step.

    Returns:
        One height a column; 0 where the error only falls, or only rises once it has fallen.
    """
    before = errors_along.cummin()
    after = errors_along.iloc[::-1].cummin().iloc[::-1]
    return [float(height) for height in np.minimum(errors_along - before, errors_along - after).max()]


def peak_by_width(table: pd.DataFrame) -> list[float]:
    """Height of the final test error's peak over widths, the smaller of its rise and its fall, with label noise."""
    return peak(at_the_end(table, "test_error", table.label_noise.max()))


def peak_without_noise(table: pd.DataFrame) -> list[float]:
    """The same without label noise."""
    return peak(at_the_end(table, "test_error", table.label_noise.min()))


def peak_when_stopped_early(table: pd.DataFrame) -> list[float]:
    """The same of the best test error over the recorded steps, with label noise."""
    noisy = table[np.isclose(table.label_noise, table.label_noise.max())]
    return peak(noisy.groupby(["width", "member"]).test_error.min().unstack("member").sort_index())


def by_step(table: pd.DataFrame, noise: float) -> pd.DataFrame:
    """Test error of the widest networks by step (down) and seed (across), after the first hundredth of training."""
    late = table.step >= table.step.max() / 100  # before that it jumps about whatever the labels are
    rows = table[late & (table.width == table.width.max()) & np.isclose(table.label_noise, noise)]
    return rows.pivot(index="step", columns="member", values="test_error").sort_index()


def peak_by_epoch(table: pd.DataFrame) -> list[float]:
    """Height of the peak of the widest networks' test error along training, the smaller of its rise and fall, with label noise."""
    return peak(by_step(table, table.label_noise.max()))


def peak_by_epoch_without_noise(table: pd.DataFrame) -> list[float]:
    """The same without label noise."""
    return peak(by_step(table, table.label_noise.min()))


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Test and training error by width at the end, and the widest networks' test error by step, means with their extremes."""
    names = {"train_error": "training error", "test_error": "test error"}
    long = table.melt(["width", "label_noise", "step", "member"], list(names), "curve", "error")
    long["curve"] = long.curve.map(names)
    grouped = (
        long.groupby(["width", "label_noise", "step", "curve"]).error.agg(y="mean", low="min", high="max").reset_index()
    )
    noisy = np.isclose(grouped.label_noise, table.label_noise.max())
    ends = grouped[(grouped.step == table.step.max()) & noisy].assign(panel="by width, at the end")
    along = grouped[(grouped.width == table.width.max()) & noisy & (grouped.step > 0)].assign(panel="by step, widest")
    return pd.concat([ends.assign(x=ends.width), along.assign(x=along.step)])[
        ["x", "y", "low", "high", "curve", "panel"]
    ]


@study(
    source="Greydanus and Kobak 2024, section 4 (deep double descent); Nakkiran et al. 2020, sections 5 and 6",
    sizes={
        "smoke": {"width": [4, 40, 200], "label_noise": (0.0, NOISE), "train_size": 1000, "steps": 1000, "members": 3},
        "laptop": {"width": [2, 4, 6, 10, 15, 25, 40, 60, 100, 200], "label_noise": (0.0, NOISE), "train_size": 4000,
                   "steps": 12000, "members": 4},
        "paper": {"width": [2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 49, 64, 83, 102, 135, 177, 230, 300],
                  "label_noise": (0.0, NOISE), "train_size": 4000, "steps": 20000, "members": 5},
    },
    drawn=drawn,
    axes={"x": "width, or step of training", "y": "error", "log_x": True},
    claims=(
        Claim(
            "With label noise the test error rises and falls again as networks widen.",
            "Greydanus and Kobak 2024, section 4", peak_by_width, bar=0.025, control=peak_without_noise,
        ),
        Claim(
            "Stopped at their best step networks show no such peak.",
            "Nakkiran et al. 2020, section 5", peak_when_stopped_early, bar=0.03, above=False, control=peak_by_width,
        ),
        Claim(
            "Experimental: along training the test error of wide networks falls, rises and falls again where labels are noisy.",
            "Nakkiran et al. 2020, section 6", peak_by_epoch, bar=0.02, control=peak_by_epoch_without_noise,
        ),
    ),
    notes="Double descent along training was not seen in dense networks of this size by any setting that was tried, here or with "
    "digits: the error keeps rising or stays. The exact linear model shows it, and so do the published convolutional networks.",
)  # fmt: skip
def double_descent_one_dimensional_digits(
    *, width: int, label_noise: tuple[float, ...], train_size: int, steps: int, members: int, test_size: int = 4000, lr: float = 0.01,
    batch_size: int = 100, readings: int = 25, data: Any = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Do networks on MNIST-1D with noisy labels show two descents, by width and by epoch?

    Two hidden layers of equal width, SGD with momentum 0.9, a share of the training labels drawn anew. Seeds share noise over
    the widths. Errors are taken at log-spaced steps, the training error against the noisy labels.

    Args:
        width: Of the hidden layers.
        label_noise: Shares of the labels that are drawn anew, uniformly: arms that are trained together.
        train_size: Training examples.
        steps: Of training.
        members: Seeds of each arm: initialisation, noise, order. Arms share them.
        test_size: Test examples.
        lr: Learning rate.
        batch_size: Examples a step.
        readings: Steps at which errors are taken, at equal ratios.
        data: Your own ``((x, y), (x_test, y_test))``.
        seed: Of everything.

    Returns:
        ``member``, ``label_noise``, ``step``, ``train_error``, ``test_error``.

    Example:
        >>> rows = double_descent_one_dimensional_digits(
        ...     width=4, label_noise=(0.0, 0.1), train_size=60, steps=4, members=2, test_size=40, batch_size=20, readings=2, seed=0
        ... )
        >>> sorted(map(int, set(rows["step"])))
        [0, 1, 4]
    """
    make_data = find("one-dimensional-digits").function
    (x, y), test = data or make_data(train_size=train_size, test_size=test_size)
    inputs, classes = int(x[0].numel()), int(y.max()) + 1
    numbers = [member for _ in label_noise for member in range(members)]
    population = Population.of(
        lambda: find("dense").function(inputs=inputs, widths=(width, width), outputs=classes),
        len(numbers),
        seed=seed,
        numbers=numbers,
    )
    shares = [share for share in label_noise for _ in range(members)]
    recipe = Recipe(
        lr=lr, momentum=0.9, batch_size=min(batch_size, len(y)), steps=steps, label_noise=shares, order=numbers
    )
    at = np.unique(np.geomspace(1, steps, readings).round().astype(int)).tolist()
    kept: list[tuple[int, Population]] = []
    fitted = fit(
        population, (x, y), recipe, seed=seed, numbers=numbers, at=[0, *at],
        on_record=lambda step, now: kept.append((step, now)),
    )  # fmt: skip
    labels = fitted.train.labels(len(numbers))
    return {
        "member": np.tile(numbers, len(kept)),
        "label_noise": np.tile(shares, len(kept)),
        "step": np.repeat([step for step, _ in kept], len(numbers)),
        "train_error": torch.cat([errors(now, x, labels) for _, now in kept]).numpy(),
        "test_error": torch.cat([errors(now, *test) for _, now in kept]).numpy(),
    }
