"""Double descent by the number of random features: ridgeless against the best ridge, condition number, effective parameters."""

import numpy as np
import pandas as pd
from scipy import stats

from heldout.catalog import Claim, study

#: Candidate ridges relative to the mean squared singular value of the features: from none to all shrinkage.
RIDGES = np.logspace(-6, 4, 41)


def by_member(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column as one row a number of features and one column a member."""
    return table.pivot(index="features", columns="member", values=column)


def log_distance(table: pd.DataFrame, column: str) -> list[float]:
    """Absolute log ratio of the number of features of highest risk to the number of examples."""
    return list(np.abs(np.log(by_member(table, column).idxmax() / table.examples.iloc[0])))


def distance_without_ridge(table: pd.DataFrame) -> list[float]:
    """Absolute log ratio of the number of features of highest ridgeless risk to the number of examples."""
    return log_distance(table, "ridgeless")


def distance_with_ridge(table: pd.DataFrame) -> list[float]:
    """The same of the risk under the best ridge."""
    return log_distance(table, "ridge")


def log_peak(table: pd.DataFrame, column: str) -> list[float]:
    """Log ratio of the risk at as many features as examples to the larger of the lowest risks on either side."""
    risks, at = by_member(table, column), table.examples.iloc[0]
    threshold = risks.reindex([at]).iloc[0]  # a grid without it decides nothing
    sides = np.maximum(risks.loc[risks.index < at].min(), risks.loc[risks.index > at].min())
    return list(np.log(threshold / sides))


def peak_without_ridge(table: pd.DataFrame) -> list[float]:
    """Log ratio of the ridgeless risk at as many features as examples to the larger of the lowest risks on either side."""
    return log_peak(table, "ridgeless")


def peak_with_ridge(table: pd.DataFrame) -> list[float]:
    """The same of the risk under the best ridge."""
    return log_peak(table, "ridge")


def gain_of_the_second_descent(table: pd.DataFrame) -> list[float]:
    """Log ratio of the lowest ridgeless risk with fewer features than examples to the risk with the most features."""
    risks = by_member(table, "ridgeless")
    return list(np.log(risks.loc[risks.index < table.examples.iloc[0]].min() / risks.iloc[-1]))


def correlation_with_condition(table: pd.DataFrame, column: str) -> list[float]:
    """Correlation of the log condition number with the log risk over widths from 0.6 n on."""
    kept = table[table.features >= 0.6 * table.examples]
    pairs = (np.log(rows[["condition", column]].to_numpy()) for _, rows in kept.groupby("member"))
    return [float(np.corrcoef(pair, rowvar=False)[0, 1]) for pair in pairs if len(pair) > 2]


def correlation_without_ridge(table: pd.DataFrame) -> list[float]:
    """Correlation of log condition number with log ridgeless risk over numbers of features from 0.6 n on."""
    return correlation_with_condition(table, "ridgeless")


def correlation_with_ridge(table: pd.DataFrame) -> list[float]:
    """The same with the log risk under the best ridge."""
    return correlation_with_condition(table, "ridge")


def rank_of_second_descent(table: pd.DataFrame, column: str) -> list[float]:
    """Spearman correlation of a column with the ridgeless risk where features are at least as many as examples."""
    kept = table[table.features >= table.examples]
    return [
        float(stats.spearmanr(rows[column], rows.ridgeless)[0]) for _, rows in kept.groupby("member") if len(rows) > 2
    ]


def rank_by_effective_parameters(table: pd.DataFrame) -> list[float]:
    """Spearman correlation of effective parameters with ridgeless risk, from as many features as examples on."""
    return rank_of_second_descent(table, "effective")


def rank_by_features(table: pd.DataFrame) -> list[float]:
    """The same of the number of features."""
    return rank_of_second_descent(table, "features")


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Risks (medians and quartiles), condition number and effective parameters by number of features, one panel each."""
    panels = {
        "ridgeless": ("risk", "without ridge"),
        "ridge": ("risk", "best ridge"),
        "condition": ("condition number", "features"),
        "effective": ("effective parameters", "minimum norm"),
    }
    grouped = table.groupby("features")[list(panels)]
    quartiles = [grouped.quantile(share).reset_index().melt("features") for share in (0.5, 0.25, 0.75)]
    rows = quartiles[0].rename(columns={"features": "x", "value": "y"})
    rows = rows.assign(low=quartiles[1].value, high=quartiles[2].value)
    rows = rows.assign(panel=[panels[v][0] for v in rows.variable], curve=[panels[v][1] for v in rows.variable])
    return rows.drop(columns="variable")


GRID = {"examples": 100, "dimension": 20, "noise": 0.3}


@study(
    source="Belkin et al. 2019; Nakkiran et al. 2020; Curth, Jeffares and van der Schaar 2023",
    drawn=curves,
    axes={"x": "features", "y": "median over members", "log_x": True, "log_y": True},
    sizes={
        "smoke": {**GRID, "features": [10, 20, 40, 60, 80, 90, 100, 110, 130, 200, 400, 800], "members": 10},
        "laptop": {**GRID, "members": 30,
                   "features": [5, 10, 20, 40, 60, 80, 90, 95, 100, 105, 110, 120, 150, 200, 400, 800, 1600]},
        "paper": {**GRID, "members": 60,
                  "features": [*range(5, 80, 5), *range(80, 122, 2), *range(130, 300, 10), 400, 600, 800, 1200, 1600, 3200]},
    },
    claims=(
        Claim(
            "The risk is highest where there are as many features as examples.",
            "Belkin et al. 2019, figure 2; Mei and Montanari 2022",
            distance_without_ridge, bar=0.1, above=False, control=distance_with_ridge,
        ),
        Claim(
            "The best ridge removes the peak.",
            "Nakkiran et al. 2020, section 4",
            peak_without_ridge, bar=1.0, control=peak_with_ridge,
        ),
        Claim(
            "Far beyond the threshold the risk is lower than anywhere before it.",
            "Belkin et al. 2019",
            gain_of_the_second_descent, bar=0.0,
        ),
        Claim(
            "The risk follows the condition number of the features.",
            "Poggio, Kur and Banburski 2019; Kuzborskij et al. 2021",
            correlation_without_ridge, bar=0.8, control=correlation_with_ridge,
        ),
        Claim(
            "By effective instead of raw parameters the second descent is a rise: the curve is a U folded back.",
            "Curth, Jeffares and van der Schaar 2023, section 5",
            rank_by_effective_parameters, bar=0.0, control=rank_by_features,
        ),
    ),
    notes="The best ridge is chosen from a grid on an independent sample of 300, so it may rise by the error of that choice.",
)  # fmt: skip
def double_descent_random_features(
    *, features: int, examples: int, dimension: int, members: int, noise: float = 0.3, curvature: float = 0.5,
    held_out: int = 300, seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Does the risk of random features peak at as many features as examples, and what do ridge and conditioning explain?

    ``y = x'b + c tanh(2 x_1) + noise``, x standard Gaussian, ``|b| = 1``; features ``phi(x) = max(0, W x)``, W Gaussian.
    The minimum-norm solution is ``pinv(Phi) y``; ridge is chosen from a grid on an independent sample. A test point's
    prediction is ``s(x)'y`` with ``s(x) = pinv(Phi)' phi(x)``; effective parameters are ``n mean |s(x)|^2``. Risk is the mean
    squared distance to the noiseless target.

    Args:
        features: N.
        examples: n.
        dimension: d.
        members: Independent draws of teacher, data and features; the data are the same for every N.
        noise: Standard deviation of the training labels' noise.
        curvature: c.
        held_out: Size of the test sample and of the sample that ridge is chosen on.
        seed: Of the draws.

    Returns:
        ``member``, risks ``ridgeless`` and ``ridge``, ``condition`` (largest over smallest of the min(n, N) singular values),
        ``effective`` parameters, ``norm`` (squared) of the ridgeless solution.

    Example:
        >>> table = double_descent_random_features(features=8, examples=40, dimension=3, members=2, noise=0.0, seed=0)
        >>> bool((table["effective"] > 4).all())  # about N for N far below n
        True
    """
    draw = np.random.default_rng([seed, 0])
    teacher = draw.standard_normal((members, dimension))
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    x = draw.standard_normal((members, examples + 2 * held_out, dimension))
    target = np.einsum("mnd,md->mn", x, teacher) + curvature * np.tanh(2 * x[..., 0])
    y = target[:, :examples] + noise * draw.standard_normal((members, examples))
    weights = np.random.default_rng([seed, 1, features]).standard_normal((members, dimension, features))
    phi = np.maximum(x @ weights, 0)
    left, values, right = np.linalg.svd(phi[:, :examples], full_matrices=False)
    projected = np.einsum("mni,mn->mi", left, y)
    seen = phi[:, examples:] @ right.swapaxes(
        1, 2
    )  # held-out features along the singular directions, [M, 2 held out, r]
    ridges = np.concatenate([[0.0], RIDGES])[:, None, None] * (values**2).mean(1)[:, None]
    errors = np.einsum("mtr,kmr->kmt", seen, values / (values**2 + ridges) * projected) - target[:, examples:]
    chosen, tested = (errors**2).reshape(len(ridges), members, 2, held_out).mean(-1).transpose(2, 0, 1)
    best = chosen.argmin(0)
    return {
        "member": np.arange(members),
        "ridgeless": tested[0],
        "ridge": tested[best, np.arange(members)],
        "condition": values[:, 0] / values[:, -1],
        "effective": examples * ((seen[:, held_out:] / values[:, None]) ** 2).sum(-1).mean(-1),
        "norm": ((projected / values) ** 2).sum(-1),
    }
