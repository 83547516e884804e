"""Hierarchical conformal quantiles: hand-made cases, split conformal as the special case, coverage."""

import numpy as np
import pytest

from heldout.engine.predicting.conformal import fewest_groups, hierarchical_quantile, hierarchical_tail


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_one_observation_a_group_is_split_conformal(level: float) -> None:
    scores = np.random.default_rng(0).normal(size=37)
    rank = int(np.ceil(level * 38))  # Vovk et al. 2005: the ceil((n + 1) level)-th smallest
    assert hierarchical_quantile(scores, np.arange(37), level) == np.sort(scores)[rank - 1]


def test_a_group_weighs_the_same_however_large_it_is() -> None:
    scores = np.array([0.0] * 98 + [5.0, 7.0])
    groups = np.array([0] * 98 + [1, 2])  # weights 1/4 on 0, 1/4 on 5, 1/4 on 7, 1/4 on infinity
    assert [hierarchical_quantile(scores, groups, level) for level in (0.2, 0.25, 0.3, 0.5, 0.6, 0.75, 0.8)] == [
        0.0, 0.0, 5.0, 5.0, 7.0, 7.0, np.inf,
    ]  # fmt: skip


def test_the_tail_counts_ties_and_the_new_one() -> None:
    scores, groups = np.array([1.0, 2.0, 3.0, 3.0]), np.array([0, 0, 1, 1])
    found = hierarchical_tail(np.array([0.0, 2.0, 3.0, 4.0]), scores, groups)
    assert found.tolist() == [1.0, (1 + 0.5 + 1) / 3, 2 / 3, 1 / 3]


def test_fewest_groups_is_where_the_quantile_becomes_finite() -> None:
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        few = fewest_groups(level)
        assert np.isfinite(hierarchical_quantile(np.arange(few), np.arange(few), level))
        assert hierarchical_quantile(np.arange(few - 1), np.arange(few - 1), level) == np.inf


def test_a_new_group_is_covered_although_observations_of_a_group_are_alike() -> None:
    draws = np.random.default_rng(1)
    trials, groups, each, level = 3000, 20, 8, 0.8
    covered = 0
    for _ in range(trials):
        centres = draws.normal(size=groups + 1) * 3
        scores = np.abs(centres[:, None] + draws.normal(size=(groups + 1, each)))
        q = hierarchical_quantile(scores[:-1].ravel(), np.repeat(np.arange(groups), each), level)
        covered += scores[-1, 0] <= q
    # at least 0.8: a count below 0.8 - 5 standard errors has probability under 3e-7; and the interval is not idle
    assert covered / trials >= level - 5 * np.sqrt(level * (1 - level) / trials)
    assert covered / trials <= level + 1 / (groups + 1) + 5 * np.sqrt(level * (1 - level) / trials)
