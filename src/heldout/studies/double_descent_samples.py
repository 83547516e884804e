"""Double descent by sample: networks of one width on more and more training data."""

from typing import Any

import numpy as np
import pandas as pd

from heldout.catalog import Claim, find, study
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.subject.losses import loss_named
from heldout.engine.training import Recipe, errors, fit, mean_losses


def curve(table: pd.DataFrame, column: str, width: float) -> pd.DataFrame:
    """A column by training examples (down) and seed (across), of networks of one width."""
    return table[table.width == width].pivot(index="examples", columns="member", values=column).sort_index()


def rise_of_the_loss(table: pd.DataFrame) -> list[float]:
    """Largest rise of the log test loss above its least on fewer examples, narrow networks."""
    found = curve(table.assign(log_loss=np.log(table.test_loss)), "log_loss", table.width.min())
    return [float(value) for value in (found - found.cummin()).max()]


def rise_of_the_error(table: pd.DataFrame) -> list[float]:
    """Largest rise of the test error above its least on fewer examples, narrow networks."""
    found = curve(table, "test_error", table.width.min())
    return [float(value) for value in (found - found.cummin()).max()]


def peak_moves(table: pd.DataFrame) -> list[float]:
    """Log2 of the examples at the highest test loss of wide networks over those of narrow ones."""
    wide, narrow = (curve(table, "test_loss", width).idxmax() for width in (table.width.max(), table.width.min()))
    return [float(value) for value in np.log2(wide / narrow)]


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Test loss by examples, means with their extremes, one curve a width."""
    rows = table.groupby(["examples", "width"]).test_loss.agg(y="mean", low="min", high="max").reset_index()
    curve = [f"width {width:>4}" for width in rows.width]
    return rows.rename(columns={"examples": "x"}).assign(curve=curve).drop(columns="width")


@study(
    source="Nakkiran et al. 2020, section 7; Nakkiran 2019 (more data can hurt for linear regression)",
    sizes={
        "smoke": {"examples": [50, 200, 1000], "width": [10, 100], "steps": 1000, "members": 3, "pool": 1000},
        "laptop": {"examples": [50, 100, 200, 400, 800, 1600, 4000], "width": [10, 50], "steps": 10000, "members": 5},
        "paper": {"examples": [50, 100, 200, 300, 400, 600, 800, 1200, 1600, 2400, 4000, 8000, 16000], "width": [10, 25, 50, 100],
                  "steps": 100000, "members": 5, "pool": 16000},
    },
    drawn=drawn,
    axes={"x": "training examples", "y": "test loss", "log_x": True, "log_y": True},
    claims=(
        Claim(
            "There is a range of sizes in which more training data raise the test loss.",
            "Nakkiran et al. 2020, section 7 and figure 3", rise_of_the_loss, bar=0.1,
        ),
        Claim(
            "There is a range of sizes in which more training data raise the test error.",
            "Nakkiran et al. 2020, section 7", rise_of_the_error, bar=0.02,
        ),
        Claim(
            "Wider networks have their peak at more data.",
            "Nakkiran et al. 2020, section 7 and figure 11", peak_moves, bar=0.5,
        ),
    ),
    notes="The test error falls all along: what rises is the loss of networks that are sure of what is wrong. "
    "The exact curve of least squares is in double-descent-least-squares.",
)  # fmt: skip
def double_descent_samples(
    *, examples: int, width: int, steps: int, members: int, label_noise: float = 0.15, pool: int = 4000, test_size: int = 2000,
    lr: float = 2e-3, batch_size: int = 50, data: Any = None, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Can more training data make a network of one size worse?

    MNIST-1D, two hidden layers of equal width, Adam for as many steps at every size, a share of the labels drawn anew. Each
    size holds the examples of the smaller ones; seeds differ in initialisation, noise and order.

    Args:
        examples: Of the training set.
        width: Of the hidden layers.
        steps: Of training.
        members: Seeds.
        label_noise: Share of the labels that are drawn anew, uniformly.
        pool: Training examples that are generated, of which the first are used.
        test_size: Test examples.
        lr: Learning rate.
        batch_size: Examples a step, all of them where there are fewer.
        data: Your own ``((x, y), (x_test, y_test))``; its first examples are used.
        seed: Of everything.

    Returns:
        A row a seed: member, train_error (against the noisy labels), test_error, test_loss.

    Example:
        >>> rows = double_descent_samples(examples=40, width=8, steps=5, members=2, pool=60, test_size=40, seed=0)
        >>> rows["test_loss"].shape
        (2,)
    """
    (x, y), test = data or find("one-dimensional-digits").function(train_size=pool, test_size=test_size)
    inputs, classes = int(x[0].numel()), int(y.max()) + 1
    x, y = x[:examples], y[:examples]
    population = Population.of(
        lambda: find("dense").function(inputs=inputs, widths=(width, width), outputs=classes), members, seed=seed
    )
    recipe = Recipe(optimizer="adam", lr=lr, batch_size=min(batch_size, len(y)), steps=steps, label_noise=label_noise)
    fitted = fit(population, (x, y), recipe, seed=seed)
    held_out = as_examples(test, "test")
    return {
        "member": np.arange(members),
        "train_error": errors(fitted.final, x, fitted.train.labels(members)).numpy(),
        "test_error": errors(fitted.final, held_out.x, held_out.y).numpy(),
        "test_loss": mean_losses(fitted.final, held_out, loss_named("cross-entropy", held_out.y)).numpy(),
    }
