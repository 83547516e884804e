"""Where the variance of random features comes from: features, inputs, label noise, and their interactions."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from heldout.catalog import Claim, study

#: The sources: P features (initialisation), X inputs, E label noise.
TERMS = ("P", "X", "E", "PX", "PE", "XE", "PXE")
MAIN = ["P", "X", "E"]
FEATURES = [term for term in TERMS if "P" in term]
NOISE = [term for term in TERMS if "E" in term]


def at(table: pd.DataFrame, ratio: float) -> pd.DataFrame:
    """One row a member at the number of features nearest to ``ratio`` times the examples."""
    nearest = table.features.unique()[np.abs(table.features.unique() - ratio * table.examples.iloc[0]).argmin()]
    return table[table.features == nearest].set_index("member")


def growth(table: pd.DataFrame, terms: list[str]) -> list[float]:
    """Growth of some terms from a quarter of the threshold to the threshold, over the whole variance there."""
    few, threshold = at(table, 0.25), at(table, 1.0)
    return list((threshold[terms].sum(axis=1) - few[terms].sum(axis=1)) / threshold[list(TERMS)].sum(axis=1))


def growth_of_interactions(table: pd.DataFrame) -> list[float]:
    """Growth of the terms PX and PXE from n/4 to n features, over the whole variance at n features."""
    return growth(table, ["PX", "PXE"])


def growth_of_main_effects(table: pd.DataFrame) -> list[float]:
    """The same of the main effects P, X and E."""
    return growth(table, MAIN)


def share_of_interactions(table: pd.DataFrame, ratio: float) -> list[float]:
    """Share of the variance that lies in interactions of features with inputs."""
    rows = at(table, ratio)
    return list(rows[["PX", "PXE"]].sum(axis=1) / rows[list(TERMS)].sum(axis=1))


def interactions_at_threshold(table: pd.DataFrame) -> list[float]:
    """Share of the terms PX and PXE in the variance, at as many features as examples."""
    return share_of_interactions(table, 1.0)


def interactions_with_many_features(table: pd.DataFrame) -> list[float]:
    """The same with the most features."""
    return share_of_interactions(table, table.features.max() / table.examples.iloc[0])


def log_ensembled(table: pd.DataFrame, terms: list[str]) -> list[float]:
    """Log ratio of the variance of a mean over 100 draws of one source to that of one draw, at the threshold."""
    rows = at(
        table, 1.0
    )  # a mean over K draws of a source divides by K the terms in which it takes part, and no others
    whole = rows[list(TERMS)].sum(axis=1)
    return list(np.log(np.maximum(whole - 0.99 * rows[terms].sum(axis=1), 0.01 * whole) / whole))


def ensembled_over_features(table: pd.DataFrame) -> list[float]:
    """Log ratio of the variance of a mean over 100 draws of features to that of one draw, at as many features as examples."""
    return log_ensembled(table, FEATURES)


def ensembled_over_noise(table: pd.DataFrame) -> list[float]:
    """The same of a mean over 100 draws of label noise."""
    return log_ensembled(table, NOISE)


def terms_by_features(table: pd.DataFrame) -> pd.DataFrame:
    """Means over members of bias and of every term of the variance; terms that came out below zero are left out."""
    means = table.groupby("features")[["bias", *TERMS]].mean().reset_index()
    rows = means.melt("features", var_name="curve", value_name="y").rename(columns={"features": "x"})
    return rows[rows.y > 0]


GRID = {"examples": 80, "dimension": 20, "levels": 8}


@study(
    source="Adlam and Pennington 2020, Understanding double descent requires a fine-grained bias-variance decomposition",
    drawn=terms_by_features,
    axes={"x": "features", "y": "contribution to the risk", "log_x": True, "log_y": True},
    sizes={
        "smoke": {**GRID, "features": [20, 80, 800], "members": 6},
        "laptop": {**GRID, "features": [10, 20, 40, 60, 70, 80, 90, 100, 120, 160, 320, 800], "members": 30},
        "paper": {**GRID, "levels": 16, "members": 100, "held_out": 200,
                  "features": [10, 20, 30, 40, 50, 60, 65, 70, 75, 80, 85, 90, 100, 120, 160, 240, 320, 800, 1600]},
    },
    claims=(
        Claim(
            "At the threshold it is the interactions of features with inputs and noise that explode, not the main effects.",
            "Adlam and Pennington 2020, sections 1 and 5",
            growth_of_interactions, bar=0.5, control=growth_of_main_effects,
        ),
        Claim(
            "At the threshold nearly all variance is interaction of features with inputs; far beyond it is not.",
            "Adlam and Pennington 2020, figure 1",
            interactions_at_threshold, bar=0.6, control=interactions_with_many_features,
        ),
        Claim(
            "Ensembling over features removes the explosion; averaging over label noise alone does not.",
            "Adlam and Pennington 2020, section 5.3",
            ensembled_over_features, bar=-2.0, above=False, control=ensembled_over_noise,
        ),
    ),
    notes="Terms are unbiased estimates and may come out below zero. Plain variances of means over a few levels would show main "
    "effects that explode too: with 8 levels an eighth of every interaction leaks into them. At exactly N = n the ridgeless "
    "variance has no mean, so there is a ridge of 1e-4; with 1e-3 and 1e-5 the peak is lower and higher and the shares are alike.",
)  # fmt: skip
def bias_variance_random_features(
    *, features: int, examples: int, dimension: int, levels: int, members: int, noise: float = 0.3, curvature: float = 0.5,
    ridge: float = 1e-4, held_out: int = 100, seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Which source of randomness makes the variance peak: features, inputs, label noise, or their interactions?

    ``y = x'b + c tanh(2 x_1) + noise`` with ``|b| = 1``, ReLU random features, nearly ridgeless. Every one of K draws of
    features P meets every one of K draws of inputs X and of noise E (crossed). With u_S the part of the prediction that
    varies with exactly the sources S, V_S = E u_S^2; seven terms add up to the variance. V_S is estimated without bias from
    mean squares: ``MS_S = sum u_S^2 / degrees of freedom`` has the expectation ``sum_{S' >= S} K^(3 - |S'|) V_S'``.

    Args:
        features: N.
        examples: n.
        dimension: d.
        levels: K draws of every source.
        members: Independent repetitions of the whole design, with one teacher each.
        noise: Standard deviation of the labels' noise.
        curvature: c.
        ridge: Relative to the mean squared singular value of the features: without one the variance at N = n has no mean.
        held_out: Test points.
        seed: Of the draws; inputs and noise are the same for every N.

    Returns:
        ``member``, ``bias`` (squared, with the mean prediction's own variance taken off), and the terms of the variance.

    Example:
        >>> table = bias_variance_random_features(
        ...     features=4, examples=40, dimension=3, levels=3, members=2, noise=0.0, seed=0
        ... )
        >>> bool((abs(table["E"]) < 1e-12).all())  # no label noise, no variance from it
        True
    """
    draw = np.random.default_rng([seed, 0])
    teacher = draw.standard_normal((members, dimension))
    teacher /= np.linalg.norm(teacher, axis=1, keepdims=True)
    x = draw.standard_normal((members, levels * examples + held_out, dimension))
    target = np.einsum("mnd,md->mn", x, teacher) + curvature * np.tanh(2 * x[..., 0])
    errors = noise * draw.standard_normal((members, levels, examples))
    weights = np.random.default_rng([seed, 1, features]).standard_normal((members, levels, dimension, features))
    clean = target[:, : levels * examples].reshape(members, levels, 1, examples)
    predictions = np.stack([  # member by member for memory: each has K^2 designs to take apart
        _predictions(*own, ridge) for own in zip(x, weights, clean + errors[:, None], strict=True)
    ])
    terms = variance_terms(predictions)
    mean = predictions.mean((1, 2, 3))
    own = sum(term / levels ** len(name) for name, term in terms.items())
    bias = ((mean - target[:, levels * examples :]) ** 2).mean(1) - own
    return {"member": np.arange(members), "bias": bias, **terms}


def _predictions(
    x: NDArray[np.float64], weights: NDArray[np.float64], labels: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """Predictions ``[P, X, E, test]`` of all K^3 fits; labels are ``[X, E, n]``, the test points the last of x."""
    levels, _, examples = labels.shape
    phi = np.maximum(x @ weights, 0)  # [P, points, N]
    seen, tested = phi[:, : levels * examples].reshape(levels, levels, examples, -1), phi[:, None, levels * examples :]
    left, values, right = np.linalg.svd(seen, full_matrices=False)
    shrunk = values / (values**2 + ridge * (values**2).mean(-1, keepdims=True))
    return (labels @ left * shrunk[:, :, None]) @ (tested @ right.swapaxes(-1, -2)).swapaxes(-1, -2)


def variance_terms(predictions: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The terms of the variance of a crossed design with one prediction a cell, without bias.

    Args:
        predictions: ``[M, P, X, E, test]`` with K levels of each source.

    Returns:
        Term -> ``[M]``, means over test points.
    """
    levels, axes = predictions.shape[1], {"P": 1, "X": 2, "E": 3}
    effects, squares = {"": predictions.mean((1, 2, 3), keepdims=True)}, {}
    for term in TERMS:
        others = tuple(axis for source, axis in axes.items() if source not in term)
        effect = predictions.mean(others, keepdims=True) - sum(
            part for name, part in effects.items() if set(name) < set(term)
        )
        effects[term] = effect
        freedom = (levels - 1) ** len(term)
        squares[term] = (effect**2).sum((1, 2, 3)).mean(-1) * levels ** len(others) / freedom
    found: dict[str, NDArray[np.float64]] = {}
    for term in reversed(TERMS):
        above = sum(levels ** (3 - len(name)) * part for name, part in found.items() if set(term) < set(name))
        found[term] = (squares[term] - above) / levels ** (3 - len(term))
    return {term: found[term] for term in TERMS}
