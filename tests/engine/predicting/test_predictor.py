"""The predictor: coverage on made worlds, strangers are seen, groups are never on both sides."""

import numpy as np
import pytest

from heldout.engine.predicting import fitted_predictor
from heldout.engine.predicting.predictor import distance, normal_scores
from heldout.records import Refusal


def world(groups: int, each: int, seed: int, move: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with a known law of the target, and an effect of each group that no feature shows."""
    draws = np.random.default_rng(seed)
    features = draws.normal(size=(groups * each, 3)) + move
    hidden = np.repeat(0.3 * draws.normal(size=groups), each)
    target = np.sin(features[:, 0]) + 0.5 * features[:, 1] + hidden + 0.1 * draws.normal(size=groups * each)
    return features, target, np.repeat(np.arange(groups), each)


def test_intervals_cover_new_groups_and_say_something() -> None:
    features, target, groups = world(120, 5, seed=0)
    predictor = fitted_predictor(features, target, groups, level=0.8, seed=0)
    x, y, of = world(1500, 1, seed=1)
    found = predictor(x)
    covered = ((found.low <= y) & (y <= found.high)).mean()
    # given 60 calibration groups the coverage is about Beta(48, 13): six of its deviations below 0.8
    assert covered >= 0.8 - 6 * np.sqrt(0.8 * 0.2 / 61)
    assert (found.high - found.low).mean() < 4 * 0.8 * target.std()
    assert np.corrcoef(found.value, y)[0, 1] > 0.7
    assert len(set(of.tolist())) == 1500


def test_strangers_are_seen_and_relatives_are_not() -> None:
    features, target, groups = world(120, 5, seed=2)
    predictor = fitted_predictor(features, target, groups, level=0.9, seed=0)
    assert (predictor(world(50, 1, seed=3, move=6.0)[0]).familiar <= 2 / 61).all()
    familiar = predictor(world(400, 1, seed=4)[0]).familiar
    assert (familiar < 0.05).mean() < 0.05 + 6 * np.sqrt(0.05 / 61)


def test_the_same_seed_gives_the_same_and_another_another() -> None:
    features, target, groups = world(30, 4, seed=5)
    one, again, other = (fitted_predictor(features, target, groups, level=0.8, seed=s)(features) for s in (0, 0, 1))
    assert np.array_equal(one.low, again.low)
    assert not np.array_equal(one.low, other.low)


def test_only_what_may_calibrate_calibrates() -> None:
    features, target, groups = world(40, 3, seed=6)
    may = groups >= 30
    predictor = fitted_predictor(features, target, groups, level=0.8, seed=0, calibration=may)
    assert set(predictor.groups.tolist()) <= set(range(30, 40))
    assert len(set(predictor.groups.tolist())) == 5
    assert len(predictor.known) == 3 * 35  # all others are grown on
    with pytest.raises(Refusal, match="at least two"):
        fitted_predictor(features, target, groups, level=0.8, seed=0, calibration=groups == 3)


def test_too_few_groups_give_an_infinite_interval_rather_than_a_wrong_one() -> None:
    features, target, groups = world(8, 5, seed=7)
    found = fitted_predictor(features, target, groups, level=0.9, seed=0)(features[:2])
    assert np.isinf(found.high).all()


def test_normal_scores_do_not_depend_on_units() -> None:
    features = np.random.default_rng(8).normal(size=(50, 2))
    known = np.sort(features, axis=0)
    assert np.allclose(normal_scores(known, features), normal_scores(np.exp(known), np.exp(features)))


def test_the_distance_is_that_of_the_five_nearest() -> None:
    draws = np.random.default_rng(9)
    known, new = draws.normal(size=(30, 4)), draws.normal(size=(3, 4))
    by_hand = np.sort(np.sqrt(((new[:, None] - known[None]) ** 2).mean(2)), axis=1)[:, :5].mean(1)
    assert np.allclose(distance(new, known), by_hand)
