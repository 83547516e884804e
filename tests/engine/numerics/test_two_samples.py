"""Two samples: distances against scipy's, divergences of Gaussians, and splits."""

import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from heldout.engine.numerics.two_samples import nearest_neighbour_divergence, sliced_wasserstein, splits


def test_splits_are_the_truth_and_shuffles_of_it() -> None:
    found = splits(3, 5, 50, np.random.default_rng(1))
    assert found[0].tolist() == [True] * 3 + [False] * 5
    assert (found.sum(1) == 3).all()
    assert len(np.unique(found, axis=0)) > 20


@pytest.mark.parametrize(("n", "m"), [(7, 7), (5, 11), (20, 3)])
def test_distances_are_scipys_in_every_direction(n: int, m: int) -> None:
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(n, 4)), generator.normal(loc=0.7, scale=2.0, size=(m, 4))
    directions = generator.normal(size=(6, 4))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    pool, sides = np.concatenate([x, y]), splits(n, m, 2, generator)
    found = sliced_wasserstein(pool, sides, directions)
    for value, side in zip(found, sides, strict=True):
        each = [wasserstein_distance(pool[side] @ d, pool[~side] @ d) for d in directions]
        assert value == pytest.approx(np.mean(each), rel=1e-10)


def test_a_shift_is_the_mean_of_its_projections_and_never_more_than_itself() -> None:
    generator = np.random.default_rng(3)
    x, shift = generator.normal(size=(30, 3)), np.array([1.0, -2.0, 2.0])
    directions = np.eye(3)
    found = sliced_wasserstein(np.concatenate([x, x + shift]), splits(30, 30, 0, generator), directions)
    assert found[0] == pytest.approx(5 / 3)
    assert found[0] <= 3.0


@pytest.mark.parametrize("neighbours", [1, 5])
def test_the_divergence_of_shifted_gaussians(neighbours: int) -> None:
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=(2000, 2)), generator.normal(loc=[1.0, 0.5], size=(1500, 2))
    sides = splits(2000, 1500, 1, generator)
    truth, chance = nearest_neighbour_divergence(np.concatenate([x, y]), sides, neighbours=neighbours)
    assert truth == pytest.approx((1.0 + 0.25) / 2, abs=0.15)
    assert abs(chance) < 0.15


def test_the_divergence_of_gaussians_of_another_width() -> None:
    generator = np.random.default_rng(5)
    x, y = generator.normal(size=(2000, 1)), 2 * generator.normal(size=(2000, 1))
    found = nearest_neighbour_divergence(np.concatenate([x, y]), splits(2000, 2000, 0, generator))
    assert found[0] == pytest.approx(math.log(2) + 1 / 8 - 0.5, abs=0.12)


def test_equal_points_are_no_trouble() -> None:
    pool = np.zeros((12, 2))
    sides = splits(6, 6, 1, np.random.default_rng(6))
    assert sliced_wasserstein(pool, sides, np.eye(2)).tolist() == [0.0, 0.0]
    assert nearest_neighbour_divergence(pool, sides) == pytest.approx([math.log(6 / 5)] * 2)
