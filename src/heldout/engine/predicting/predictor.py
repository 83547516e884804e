"""A number for a new network from networks whose number is known, with an interval, and with how new the network is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from heldout.engine.predicting.conformal import Codes, Floats, hierarchical_quantile, hierarchical_tail
from heldout.records import Refusal

NEIGHBOURS = 5  # enough to steady a distance, few enough to stay within a cell of a design
TREES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What is said of M networks.

    Attributes:
        value: ``[M]``.
        low: Lower end of the interval, ``[M]``.
        high: Upper end.
        familiar: Conformal p-value of the hypothesis that the network is of the known kind, ``[M]``: small is new.
    """

    value: Floats
    low: Floats
    high: Floats
    familiar: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A forest with its calibration.

    Attributes:
        forest: Regression trees.
        known: Features of the networks it was grown on, sorted column by column, ``[n, K]``.
        placed: The same networks as normal scores, ``[n, K]``.
        least: Spread below which trees are not believed to agree.
        quantile: Of the calibration's scaled errors.
        distances: Of the calibration's networks from those, ``[c]``.
        groups: Of the calibration's networks, ``[c]``.
    """

    forest: Any
    known: Floats
    placed: Floats
    least: float
    quantile: float
    distances: Floats
    groups: Codes

    def __call__(self, features: Floats) -> Predicted:
        """Predict.

        Args:
            features: ``[M, K]``.

        Returns:
            Values, intervals, familiarity.
        """
        value, spread = _asked(self.forest, features, self.least)
        reach = self.quantile * spread
        away = distance(normal_scores(self.known, features), self.placed)
        return Predicted(value, value - reach, value + reach, hierarchical_tail(away, self.distances, self.groups))


def fitted_predictor(
    features: Floats,
    target: Floats,
    groups: Codes,
    *,
    level: float,
    seed: int,
    calibration: NDArray[np.bool_] | None = None,
) -> Predictor:
    r"""Grow the forest on half of the groups and calibrate it on the other half.

    The interval is ``value +- q spread`` with the spread over trees, and q the hierarchical conformal quantile of
    ``|target - value| / spread`` on the calibration's groups: it covers a new network of a new group with probability at least
    ``level`` if that group is exchangeable with the calibration's, whatever the forest is worth.

    Args:
        features: ``[n, K]``, finite.
        target: ``[n]``.
        groups: Number of each network's group, ``[n]``; a group is either grown on or calibrated on, never both.
        level: Of the interval.
        seed: Of the split and the trees.
        calibration: Which may serve for calibration, ``[n]``; all unless given. Half of their groups then do.

    Returns:
        The predictor.

    Raises:
        Refusal: If fewer than two groups could be calibrated on.
    """
    from sklearn.ensemble import RandomForestRegressor

    may = np.ones(len(target), dtype=bool) if calibration is None else calibration
    candidates = np.unique(groups[may])
    if len(candidates) < 2:
        raise Refusal(
            given=f"{len(candidates)} groups of networks were there to calibrate on",
            expected="at least two",
            do="bring networks of more configurations",
        )
    held = np.random.default_rng(seed).permutation(candidates)[: (len(candidates) + 1) // 2]
    calibrated = np.isin(groups, held) & may
    grown = ~np.isin(groups, held)
    forest = RandomForestRegressor(
        n_estimators=TREES, min_samples_leaf=2, max_features=1 / 3, random_state=seed % 2**32, n_jobs=1
    ).fit(features[grown], target[grown])
    least = float(np.median(_asked(forest, features[grown], 0.0)[1])) or 1e-6
    value, spread = _asked(forest, features[calibrated], least)
    quantile = hierarchical_quantile(np.abs(target[calibrated] - value) / spread, groups[calibrated], level)
    known = np.sort(features[grown], axis=0)
    placed = normal_scores(known, features[grown])
    away = distance(normal_scores(known, features[calibrated]), placed)
    return Predictor(forest, known, placed, least, quantile, away, groups[calibrated])


def normal_scores(known: Floats, features: Floats) -> Floats:
    """Where features lie among known ones, as standard normal quantiles: units and tails no longer matter.

    Args:
        known: Sorted column by column, ``[n, K]``.
        features: ``[m, K]``.

    Returns:
        ``[m, K]``; beyond all known ones the score is that of the middle of the last gap.

    Example:
        >>> normal_scores(np.array([[1.0], [2.0], [3.0]]), np.array([[2.0]])).tolist()
        [[0.0]]
    """
    places = [
        (np.searchsorted(column, own, "left") + np.searchsorted(column, own, "right")) / 2
        for column, own in zip(known.T, features.T, strict=True)
    ]
    return ndtri((np.stack(places, axis=1) + 0.5) / (len(known) + 1))


def distance(scores: Floats, known: Floats) -> Floats:
    """Root mean square distance of each from its nearest known ones, averaged over the nearest five.

    Args:
        scores: ``[m, K]``.
        known: ``[n, K]``.

    Returns:
        ``[m]``.
    """
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(known))).fit(known).kneighbors(scores)[0]
    return nearest.mean(1) / np.sqrt(scores.shape[1])


def _asked(forest: Any, features: Floats, least: float) -> tuple[Floats, Floats]:
    """Mean over trees and their spread, which is never less than ``least``."""
    trees = np.stack([tree.predict(features) for tree in forest.estimators_])
    return trees.mean(0), np.maximum(trees.std(0), least)
