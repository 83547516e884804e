"""The failure of uniform convergence: a linear network that generalizes and errs on a twin of its training set."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from heldout.catalog import Claim, study


def at_largest(table: pd.DataFrame, column: str) -> list[float]:
    """A column at the largest number of noise dimensions, seed by seed."""
    return list(table[table.dimensions == table.dimensions.max()].sort_values("member")[column])


def twin_error(table: pd.DataFrame) -> list[float]:
    """Error on the twin of the training set, whose noise is turned around, at the most noise dimensions."""
    return at_largest(table, "twin_error")


def error_of_a_fresh_set(table: pd.DataFrame) -> list[float]:
    """Error on as many fresh examples."""
    return at_largest(table, "test_error")


def distance_from_theory(table: pd.DataFrame) -> list[float]:
    """Largest distance of the mean test error from its closed form over the numbers of noise dimensions."""
    means = table.groupby("dimensions")[["test_error", "theory"]].mean()
    return [float((means.test_error - means.theory).abs().max())]


def uniform_bound(table: pd.DataFrame) -> list[float]:
    """What any uniform-convergence bound over the learned hypotheses must say at least: twin error minus test error."""
    return list(np.subtract(at_largest(table, "twin_error"), at_largest(table, "test_error")))


def gap(table: pd.DataFrame) -> list[float]:
    """The true gap: test error minus training error."""
    return list(np.subtract(at_largest(table, "test_error"), at_largest(table, "train_error")))


def drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Mean errors by the number of noise dimensions."""
    names = {"train_error": "training set", "test_error": "fresh data", "twin_error": "twin of the training set",
             "theory": "fresh data, closed form"}  # fmt: skip
    means = table.groupby("dimensions")[list(names)].mean().rename(columns=names).rename_axis("x").reset_index()
    return means.melt("x", var_name="curve", value_name="y")


@study(
    source="Nagarajan and Kolter 2019, section 3.1 and theorem 3.1",
    sizes={
        "smoke": {"dimensions": [3000, 10000, 40000], "examples": 100, "members": 5},
        "laptop": {"dimensions": [3000, 10000, 30000, 100000], "examples": 100, "members": 10},
        "paper": {"dimensions": [10000, 100000, 1000000], "examples": 100, "members": 10},
    },
    drawn=drawn,
    axes={"x": "noise dimensions", "y": "error", "log_x": True},
    claims=(
        Claim(
            "For every training set there is an equally likely one on which the learned network errs completely.",
            "Nagarajan and Kolter 2019, theorem 3.1", twin_error, bar=0.5, control=error_of_a_fresh_set,
        ),
        Claim(
            "Even the tightest bound by uniform convergence over the hypotheses that the algorithm finds is nearly 1, "
            "although the gap is small.",
            "Nagarajan and Kolter 2019, theorem 3.1", uniform_bound, bar=0.5, control=gap,
        ),
        Claim(
            "The test error follows its closed form.",
            "Derived: see the study's text", distance_from_theory, bar=0.02, above=False, exact=True,
        ),
    ),
)  # fmt: skip
def uniform_convergence_linear(*, dimensions: int, examples: int, members: int, seed: int) -> dict[str, np.ndarray]:
    r"""Can a network generalize although uniform convergence over what its algorithm learns says nothing?

    Inputs x = (x1, x2): x1 = 2 y u with \|u\|^2 = 1/m, and noise x2 from N(0, (32 / D) I_D). One step of gradient descent of
    rate 1 from zero on the loss 1 - y h(x), summed, gives w1 = 2 m u and w2 = sum_i y_i x2_i. The twin S' turns every x2
    around: it has the same law, and y h = 4 - |w2 part| < 0 on it. On fresh data y h is 4 plus Gaussian noise of variance
    (32 / D) \|w2\|^2, and \|w2\|^2 is about 32 m, so the error is Phi(-4 / (32 sqrt(m / D))).

    Args:
        dimensions: D.
        examples: m.
        members: Seeds.
        seed: Of all draws.

    Returns:
        A row a seed: member, train_error, test_error (on as many fresh examples as make 2,000), twin_error, theory.

    Example:
        >>> rows = uniform_convergence_linear(dimensions=20000, examples=50, members=2, seed=0)
        >>> float(rows["train_error"].max()), float(rows["twin_error"].min())
        (0.0, 1.0)
    """
    columns: dict[str, list[float]] = {"train_error": [], "test_error": [], "twin_error": []}
    scale = np.sqrt(32 / dimensions)
    for member in range(members):  # over seeds, not networks: one noise matrix fills the memory that is worth filling
        draw = np.random.default_rng([seed, dimensions, member])
        y = draw.choice([-1.0, 1.0], examples)
        noise = scale * draw.standard_normal((examples, dimensions), dtype=np.float32)
        w2 = (y[:, None] * noise).sum(0)
        signal = 2 * 2 * examples / examples  # y w1 . x1 = 2 m u . 2 u
        own = y * (noise @ w2)
        # y h on fresh data: the signal and a Gaussian projection of variance (32 / D) |w2|^2, drawn as such
        fresh = signal + scale * np.linalg.norm(w2) * draw.standard_normal(2000)
        columns["train_error"].append(float((signal + own <= 0).mean()))
        columns["twin_error"].append(float((signal - own <= 0).mean()))
        columns["test_error"].append(float((fresh <= 0).mean()))
    theory = norm.cdf(-4 / (32 * np.sqrt(examples / dimensions)))
    rows = {name: np.array(values) for name, values in columns.items()}
    return {"member": np.arange(members), **rows, "theory": np.full(members, theory)}
