"""Control rows: oracles, chance, the design's own order, and the ceiling that a small test set sets."""

import numpy as np
import pytest
from tests.criteria.ledgers import grid

from heldout.engine.judging.controls import canonical, ceiling, controls


def test_the_rows_and_their_worth() -> None:
    design = grid((3, 3, 3), 4)
    errors = design.codes @ np.array([0.1, 0.05, 0.02]) + 0.01 * np.random.default_rng(0).normal(size=design.networks)
    found = controls(errors, design, 0)
    assert list(found) == ["oracle with noise 0.02", "oracle with noise 0.05", "random", "canonical ordering"]
    correlations = [np.corrcoef(row, errors)[0, 1] for row in found.values()]
    assert correlations[0] > correlations[1] > 0.7
    assert abs(correlations[2]) < 0.5  # 108 networks: sd 0.1
    assert correlations[3] > 0.95


def test_the_canonical_ordering_never_sees_its_own_configuration() -> None:
    design, errors = grid((3, 3), 2), np.arange(18.0)
    before = canonical(errors, design)
    moved = errors.copy()
    moved[design.configurations == 4] += 100.0
    assert canonical(moved, design)[design.configurations == 4] == pytest.approx(before[design.configurations == 4])
    assert not np.allclose(canonical(moved, design), before)


def test_the_ceiling_of_small_test_sets() -> None:
    # digest, section 11: error rate 5 %, gap sd 0.01: tau 0.48 with 360 test examples, 0.62 with 1,000, 0.87 with 10,000
    draws = np.random.default_rng(0)
    for size, expected in ((360, 0.48), (1000, 0.62), (10000, 0.87)):
        found = []
        for repeat in range(8):
            exact = 0.05 + 0.01 * draws.normal(size=100)
            found.append(ceiling(draws.binomial(size, np.clip(exact, 0, 1)) / size, size, repeat, draws=20))
        assert np.mean(found) == pytest.approx(expected, abs=0.1)
    assert ceiling(np.array([0.1, 0.2]), np.inf, 0) == 1.0
    assert ceiling(np.full(5, 0.1), 100, 0) == 0.0
