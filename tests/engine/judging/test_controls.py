"""Control rows: oracles, chance, the design's own order, and the ceiling that a small test set sets."""

import numpy as np
import pytest
from tests.criteria.ledgers import grid

from heldout.engine.judging.controls import canonical, ceiling, controls, measured_again


def test_the_rows_and_their_worth() -> None:
    design = grid((3, 3, 3), 4)
    errors = design.codes @ np.array([0.1, 0.05, 0.02]) + 0.01 * np.random.default_rng(0).normal(size=design.networks)
    found = controls(errors, design, 0)
    oracles = ["oracle with noise 0.02", "oracle with noise 0.05", "oracle with relative noise 0.5"]
    assert list(found) == [*oracles, "random", "canonical ordering"]
    correlations = [np.corrcoef(row, errors)[0, 1] for row in found.values()]
    assert correlations[0] > correlations[1] > 0.7
    assert correlations[2] == pytest.approx(np.sqrt(1 / 1.25), abs=0.05)  # 0.5 of the spread as noise
    assert abs(correlations[3]) < 0.5  # 108 networks: sd 0.1
    assert correlations[4] > 0.95


def test_the_canonical_ordering_never_sees_its_own_configuration() -> None:
    design, errors = grid((3, 3), 2), np.arange(18.0)
    before = canonical(errors, design)
    moved = errors.copy()
    moved[design.configurations == 4] += 100.0
    assert canonical(moved, design)[design.configurations == 4] == pytest.approx(before[design.configurations == 4])
    assert not np.allclose(canonical(moved, design), before)
    assert not np.allclose(canonical(errors, design, seed=1), before)


def test_the_canonical_ordering_of_nothing_points_nowhere() -> None:
    # the mean of all other networks would have a correlation of -0.4 here; 300 ledgers, sd of a mean 0.01
    design = grid((3, 2, 2, 2), 2)
    found = []
    for seed in range(300):
        errors = np.random.default_rng(seed).normal(size=design.networks)
        found.append(np.corrcoef(canonical(errors, design, seed), errors)[0, 1])
    assert abs(np.mean(found)) < 0.05


def test_targets_measured_again_have_the_spread_of_those_that_were() -> None:
    errors = 0.3 + 0.1 * np.random.default_rng(0).normal(size=2000)
    again = measured_again(errors, 0.05**2, 0, draws=20)
    assert again is not None
    exact, seen = again
    assert exact.std() == pytest.approx(np.sqrt(errors.var() - 0.05**2))
    assert seen.shape == (20, 2000)
    assert seen.std(axis=1) == pytest.approx(errors.std(), rel=0.1)
    assert len(measured_again(errors, 0.0, 0)[1]) == 1  # type: ignore[index]
    assert measured_again(errors, 1.0, 0) is None
    assert measured_again(errors, np.nan, 0) is None


def test_the_ceiling_of_small_test_sets() -> None:
    # digest, section 11: error rate 5 %, gap sd 0.01: tau 0.48 with 360 test examples, 0.62 with 1,000, 0.87 with 10,000
    draws = np.random.default_rng(0)
    for size, expected in ((360, 0.48), (1000, 0.62), (10000, 0.87)):
        found = []
        for repeat in range(8):
            exact = 0.05 + 0.01 * draws.normal(size=100)
            seen = draws.binomial(size, np.clip(exact, 0, 1)) / size
            found.append(ceiling(seen, 0.05 * 0.95 / size, repeat, draws=20))
        assert np.mean(found) == pytest.approx(expected, abs=0.1)
    assert ceiling(np.array([0.1, 0.2]), 0.0, 0) == 1.0
    assert ceiling(np.full(5, 0.1), 0.001, 0) == 0.0
    assert np.isnan(ceiling(np.array([0.1, 0.2]), np.nan, 0))
