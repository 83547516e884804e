"""Replicates: what each permutation keeps and what it breaks, and clusters that stay together."""

import numpy as np
from tests.criteria.ledgers import grid

from heldout.engine.judging.replicates import permuted, permuted_within, resampled


def test_dealt_targets_keep_their_clusters_and_lose_the_design() -> None:
    design, draws = grid((3, 3), 4), np.random.default_rng(0)
    target = 5.0 * design.codes[:, 0] + draws.normal(size=design.networks)
    dealt = permuted(target, design.configurations, 400, seed=1)
    whole = {tuple(sorted(target[design.configurations == cell])) for cell in range(9)}
    for row in dealt[:20]:
        assert {tuple(sorted(row[design.configurations == cell])) for cell in range(9)} == whole
    slopes = [np.corrcoef(row, design.codes[:, 0])[0, 1] for row in dealt]
    assert abs(np.mean(slopes)) < 0.1  # 400 draws of sd 0.35: 0.1 is 5.7 standard errors


def test_configurations_of_unequal_size_deal_their_means() -> None:
    cells, target = np.array([0, 0, 0, 1, 2, 2]), np.array([1.0, 2, 3, 50, 7, 9])
    dealt = permuted(target, cells, 300, seed=0)
    means = np.array([2.0, 50.0, 8.0])
    assert set(np.round(dealt[:, 3] - means[:, None], 6).ravel()) >= {-1.0, 0.0, 1.0}
    assert np.abs(dealt - means[np.abs(dealt[:, :, None] - means).argmin(-1)]).max() <= 1.0


def test_dealt_within_configurations_every_order_is_as_likely() -> None:
    cells = np.array([0, 1, 0, 1, 0, 2])
    target = np.array([1.0, 10, 2, 20, 3, 7])
    dealt = permuted_within(target, cells, 6000, seed=0)
    assert (np.sort(dealt[:, [0, 2, 4]], axis=1) == [1, 2, 3]).all()
    assert (np.sort(dealt[:, [1, 3]], axis=1) == [10, 20]).all()
    assert (dealt[:, 5] == 7).all()
    orders, counts = np.unique(dealt[:, [0, 2, 4]], axis=0, return_counts=True)
    assert len(orders) == 6
    assert np.abs(counts - 1000).max() < 150  # sd 29: 5 of them


def test_configurations_are_drawn_whole() -> None:
    design = grid((3, 2), 3)
    drawn = resampled(design, 50, seed=0)
    assert (drawn.sum(1) == design.networks).all()
    for cell in range(6):
        assert (drawn[:, design.configurations == cell].std(axis=1) == 0).all()
    assert not np.array_equal(drawn, resampled(design, 50, seed=1))
