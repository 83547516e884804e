"""Three factors make the peak of least squares on real data; without any one of them there is none."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

from heldout.catalog import Claim, study

ARMS = {
    "plain": "all three factors",
    "cut": "small singular values cut",
    "projected": "test points in leading directions",
    "linear": "labels exactly linear",
}
#: Errors of labels that are fitted exactly are rounding: this stands for them.
FLOOR = 1e-12


def log_peak(table: pd.DataFrame, arm: str) -> list[float]:
    """Log ratio of the median test error at n = d to the larger of those at n = d/2 and n = 2 d, by fold."""
    medians = table.groupby(["examples", "fold"])[arm].median().unstack("fold").clip(lower=FLOOR)
    at = int(table.dimension.iloc[0])
    medians = medians.reindex([at // 2, at, 2 * at])  # a grid without one of them decides nothing
    return list(np.log(medians.loc[at] / np.maximum(medians.loc[at // 2], medians.loc[2 * at])))


def peak_plain(table: pd.DataFrame) -> list[float]:
    """Log ratio of the median test error at as many examples as dimensions to the larger of those at half and twice as many."""
    return log_peak(table, "plain")


def peak_cut(table: pd.DataFrame) -> list[float]:
    """The same with the small singular values of the training inputs cut."""
    return log_peak(table, "cut")


def peak_projected(table: pd.DataFrame) -> list[float]:
    """The same with the test points projected on the leading directions of the training inputs."""
    return log_peak(table, "projected")


def peak_linear(table: pd.DataFrame) -> list[float]:
    """The same with labels that the best linear function of all data gives exactly."""
    return log_peak(table, "linear")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Median test errors by number of examples, one curve an arm."""
    medians = table.groupby("examples")[list(ARMS)].median().clip(lower=FLOOR).rename(columns=ARMS)
    return medians.rename_axis("x").reset_index().melt("x", var_name="curve", value_name="y")


@study(
    source="Schaeffer et al. 2023, Double descent demystified",
    drawn=curves,
    axes={"x": "examples", "y": "median test error", "log_x": True, "log_y": True},
    sizes={
        "smoke": {"examples": [5, 10, 20], "repetitions": 1000},
        "laptop": {"examples": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 20, 30, 50, 100, 200], "repetitions": 4000},
        "paper": {"examples": [*range(2, 31), 40, 50, 70, 100, 150, 200, 300], "repetitions": 10000},
    },
    claims=(
        Claim(
            "Without small singular values in the training inputs there is no peak.",
            "Schaeffer et al. 2023, section 4",
            peak_cut, bar=1.0, above=False, control=peak_plain,
        ),
        Claim(
            "Without test points in the directions of small singular values there is no peak.",
            "Schaeffer et al. 2023, section 4",
            peak_projected, bar=1.0, above=False, control=peak_plain,
        ),
        Claim(
            "Without labels that the best linear function cannot give there is no peak.",
            "Schaeffer et al. 2023, section 4",
            peak_linear, bar=1.0, above=False, control=peak_plain,
        ),
    ),
    notes="The cut is relative to the largest singular value, the projection keeps a fixed number of directions. The labels of "
    "the third arm stay exact at every number of examples, so past the threshold its error is rounding.",
)  # fmt: skip
def double_descent_demystified(
    *, examples: int, repetitions: int, cutoff: float = 0.2, directions: int = 3,
    data: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None, seed: int,
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:  # fmt: skip
    """Which factors make the test error of least squares peak at as many examples as dimensions?

    With singular values s_i, vectors u_i and v_i of the training inputs and residuals e of the best linear function of all data,
    the test error at x past that function's own is ``sum_i (1/s_i) (x'v_i) (u_i'e)``, and below the threshold a bias. Each arm
    takes away one factor: 1/s_i (values below the cutoff are dropped), x'v_i (x is projected on the leading v_i), u_i'e (labels
    are the linear function's). Inputs and labels are standardised; the mean squared error is over all examples not drawn.

    Args:
        examples: n.
        repetitions: Random draws of the training examples.
        cutoff: Smallest singular value that is kept, relative to the largest.
        directions: Leading directions that test points keep.
        data: Your own inputs ``[n, d]`` and labels in place of the diabetes data (442 patients, 10 inputs).
        seed: Of the draws.

    Returns:
        ``member`` (the draw), ``fold`` (a tenth of the draws), ``dimension``, test errors ``plain``, ``cut``, ``projected``,
        ``linear``, and the ``smallest`` singular value.

    Example:
        >>> table = double_descent_demystified(examples=40, repetitions=5, seed=0)
        >>> bool(max(table["linear"]) < 1e-20 and min(table["plain"]) > 0.4)
        True
    """
    x, y = load_diabetes(return_X_y=True) if data is None else (np.asarray(part, dtype=np.float64) for part in data)
    x, y = ((part - part.mean(0)) / part.std(0) for part in (x, y))
    linear = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    order = np.random.default_rng([seed, examples]).random((repetitions, len(x))).argsort(1)
    train, test = order[:, :examples], order[:, examples:]
    left, values, right = np.linalg.svd(x[train], full_matrices=False)
    seen = x[test] @ right.swapaxes(1, 2)  # test points along the directions, [R, test, r]
    kept = values >= cutoff * values[:, :1]
    leading = np.arange(values.shape[1]) < directions

    def error(labels: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        coefficients = np.einsum("rni,rn->ri", left, labels[train]) * weights / values
        return ((np.einsum("rti,ri->rt", seen, coefficients) - labels[test]) ** 2).mean(1)

    every = np.ones_like(values)
    return {
        "member": np.arange(repetitions),
        "fold": np.arange(repetitions) * 10 // repetitions,
        "dimension": np.full(repetitions, x.shape[1]),
        "plain": error(y, every),
        "cut": error(y, kept * every),
        "projected": error(y, leading * every),
        "linear": error(linear, every),
        "smallest": values[:, -1],
    }
