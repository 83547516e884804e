"""Double descent by sample size in least squares, exactly: ridgeless against optimally regularised."""

import numpy as np
import pandas as pd

from heldout.catalog import Claim, study


def deviation_from_theory(table: pd.DataFrame) -> list[float]:
    """Largest relative deviation of the mean ridgeless risk from its closed form, at least 5 examples from the threshold."""
    far = table[(table.examples - table.dimension).abs() >= 5]
    means = far.groupby("examples")[["ridgeless", "theory"]].mean()
    return [float((means.ridgeless / means.theory - 1).abs().max())]


def log_peak(table: pd.DataFrame, column: str) -> list[float]:
    """Log ratio of the median risk at the threshold to the larger of the risks at half and at twice as many examples."""
    medians = table.groupby(["examples", "fold"])[column].median().unstack("fold")
    at = int(table.dimension.iloc[0])
    shoulders = np.maximum(medians.loc[at // 2], medians.loc[2 * at])
    return list(np.log(medians.loc[at] / shoulders))


def peak_without_ridge(table: pd.DataFrame) -> list[float]:
    """Log ratio of the median ridgeless risk at as many examples as dimensions to the larger of its shoulders."""
    return log_peak(table, "ridgeless")


def peak_with_optimal_ridge(table: pd.DataFrame) -> list[float]:
    """The same of the risk under the optimal ridge."""
    return log_peak(table, "ridge")


def log_rise(table: pd.DataFrame, column: str) -> list[float]:
    """Largest rise of the log mean risk from one number of examples to the next, by fold."""
    means = table.groupby(["examples", "fold"])[column].mean().unstack("fold")
    return list(np.diff(np.log(means.to_numpy()), axis=0).max(axis=0))


def rise_with_optimal_ridge(table: pd.DataFrame) -> list[float]:
    """Largest rise of the log mean risk from one number of examples to the next, under the optimal ridge, by fold."""
    return log_rise(table, "ridge")


def rise_without_ridge(table: pd.DataFrame) -> list[float]:
    """The same without ridge."""
    return log_rise(table, "ridgeless")


def medians(table: pd.DataFrame) -> pd.DataFrame:
    """Median excess risks over the draws, and the closed form of the mean."""
    curves = {
        "ridgeless": "without ridge",
        "ridge": "optimal ridge",
        "theory": "closed form of the mean, without ridge",
    }
    rows = table.groupby("examples")[list(curves)].median().rename(columns=curves).rename_axis("x").reset_index()
    return rows.melt("x", var_name="curve", value_name="y").replace([np.inf], np.nan).dropna()


@study(
    source="Nakkiran 2019, Nakkiran et al. 2020 (optimal ridge); Hastie et al. 2022, theorem 1",
    drawn=medians,
    axes={"x": "examples", "y": "excess risk", "log_x": True, "log_y": True},
    sizes={
        "smoke": {"examples": [25, 40, 50, 60, 100], "dimension": 50, "repetitions": 400},
        "laptop": {"examples": [20, 25, 30, 40, 45, 50, 55, 60, 75, 100, 200, 400], "dimension": 50, "repetitions": 2000},
        "paper": {"examples": [*range(10, 100, 2), 100, 200, 400], "dimension": 50, "repetitions": 10000},
    },
    claims=(
        Claim(
            "The risk of ridgeless least squares follows its closed form on both sides of the threshold.",
            "Hastie et al. 2022; Belkin, Hsu and Xu 2020",
            deviation_from_theory, bar=0.15, above=False, exact=True,
        ),
        Claim(
            "More examples hurt where there are as many examples as dimensions; the optimal ridge removes the peak.",
            "Nakkiran 2019; Nakkiran et al. 2020",
            peak_without_ridge, bar=1.0, control=peak_with_optimal_ridge,
        ),
        Claim(
            "Under the optimal ridge the risk falls with every example.",
            "Nakkiran et al. 2020, theorem 1",
            rise_with_optimal_ridge, bar=0.05, above=False, control=rise_without_ridge,
        ),
    ),
)  # fmt: skip
def double_descent_least_squares(
    *, examples: int, dimension: int, repetitions: int, signal: float = 1.0, noise: float = 0.5, seed: int
) -> dict[str, np.ndarray]:
    """Do more examples hurt least squares near as many examples as dimensions, and does ridge remove it?

    Isotropic Gaussian inputs, a coefficient vector of norm r, label noise sigma. Excess risk of the minimum-norm solution:
    sigma^2 d / (n - d - 1) for n > d + 1 and r^2 (1 - n/d) + sigma^2 n / (d - n - 1) for d > n + 1; it has no mean between.
    The optimal ridge on X'X is d sigma^2 / r^2.

    Args:
        examples: n.
        dimension: d.
        repetitions: Independent draws of the training set.
        signal: r.
        noise: sigma.
        seed: Of the draws.

    Returns:
        ``member`` (the repetition), ``fold`` (a tenth of the repetitions), excess risks ``ridgeless`` and ``ridge``, and
        ``theory``.

    Example:
        >>> table = double_descent_least_squares(examples=20, dimension=50, repetitions=2000, seed=0)
        >>> bool(abs(table["ridgeless"].mean() / table["theory"][0] - 1) < 0.03)
        True
    """
    draw = np.random.default_rng([seed, examples])
    x = draw.standard_normal((repetitions, examples, dimension))
    coefficients = np.full(dimension, signal / np.sqrt(dimension))
    y = x @ coefficients + noise * draw.standard_normal((repetitions, examples))
    left, values, right = np.linalg.svd(x, full_matrices=False)
    projected = np.einsum("rni,rn->ri", left, y)
    ridge = dimension * noise**2 / signal**2
    solutions = [
        np.einsum("ri,rid->rd", projected * shrunk, right) for shrunk in (1 / values, values / (values**2 + ridge))
    ]
    ridgeless, ridged = (((solution - coefficients) ** 2).sum(1) for solution in solutions)
    return {
        "member": np.arange(repetitions),
        "fold": np.arange(repetitions) * 10 // repetitions,
        "ridgeless": ridgeless,
        "ridge": ridged,
        "theory": np.full(repetitions, _theory(examples, dimension, signal, noise)),
    }


def _theory(n: int, d: int, r: float, sigma: float) -> float:
    if n > d + 1:
        return sigma**2 * d / (n - d - 1)
    if d > n + 1:
        return r**2 * (1 - n / d) + sigma**2 * n / (d - n - 1)
    return float("inf")
