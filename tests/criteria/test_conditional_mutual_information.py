"""Conditional mutual information in two definitions: loops over ordered pairs, sign-blindness, the floor of chance."""

import numpy as np
import pytest
from tests.criteria.ledgers import grid, once, small
from tests.oracles import judging

from heldout.criteria.conditional_mutual_information import competition_score, conditional_mutual_information


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("criterion", "oracle"),
    [(conditional_mutual_information, judging.jiang), (competition_score, judging.competition)],
)
def test_against_loops_over_pairs(criterion, oracle, seed: int) -> None:  # type: ignore[no-untyped-def]
    design, measures, gap = small(seed)
    settings = [tuple(row) for row in design.codes.tolist()]
    found = criterion(measures, gap[None], once(design), design)[:, 0]
    assert found == pytest.approx([oracle(row, gap, settings) for row in measures], abs=1e-6)


@pytest.mark.parametrize("criterion", [conditional_mutual_information, competition_score])
def test_replicates_of_both_kinds(criterion) -> None:  # type: ignore[no-untyped-def]
    design, measures, gap = small(2)
    targets = np.stack([gap, gap[::-1], np.roll(gap, 5)] * 7)  # more than one chunk
    together = criterion(measures, targets, once(design), design)
    alone = np.concatenate([criterion(measures, row[None], once(design), design) for row in targets], axis=1)
    assert together == pytest.approx(alone, abs=1e-6)
    drawn = np.random.default_rng(0).multinomial(24, np.full(24, 1 / 24), size=3).astype(float)
    several = criterion(measures, gap[None], drawn, design)
    single = np.concatenate([criterion(measures, gap[None], row[None], design) for row in drawn], axis=1)
    assert several == pytest.approx(single, abs=1e-6)


def test_it_is_blind_to_the_sign() -> None:
    design, measures, gap = small(ties=False)
    found = conditional_mutual_information(
        np.stack([gap, -gap, measures[0], -measures[0]]), gap[None], once(design), design
    )
    assert found[:2, 0].tolist() == [1.0, 1.0]
    assert found[2] == pytest.approx(found[3])


def test_the_competition_s_floor_of_chance() -> None:
    # digest, section 4.2: 96 networks, random measures: mean 0.0044, 95th percentile 0.0106 (60 repeats there, 300 here)
    design = grid((2, 2, 2, 2, 2, 3), 1)
    draws = np.random.default_rng(0)
    gap = design.codes @ np.array([0.05, 0.04, 0.03, 0.02, 0.01, 0.02]) + 0.02 * draws.normal(size=96)
    scores = competition_score(draws.normal(size=(300, 96)), gap[None], once(design), design)[:, 0]
    assert 0.002 < scores.mean() < 0.009
    assert 0.005 < np.quantile(scores, 0.95) < 0.02
