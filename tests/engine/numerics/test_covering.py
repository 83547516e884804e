"""Covers by counting parameters: a packing built greedily, outputs of random networks, Massart's lemma by enumeration."""

import itertools
import math

import numpy as np
import pytest

from heldout.engine.numerics.covering import RADII, covered_complexity, log_cover


@pytest.mark.parametrize("apart", [0.3, 0.6, 1.0])
def test_a_greedy_packing_of_the_disc_is_no_larger(apart: float) -> None:
    points = np.random.default_rng(0).normal(size=(4000, 2))
    points = points / np.linalg.norm(points, axis=1, keepdims=True) * np.random.default_rng(1).random((4000, 1)) ** 0.5
    kept: list[np.ndarray] = []
    for point in points:
        if all(np.linalg.norm(point - other) > apart for other in kept):
            kept.append(point)
    # one layer of two parameters, ball of radius 1, spectral norm and reach 1: the cover of radius `apart`
    bound = log_cover(np.zeros((1, 1)), np.array([2.0]), np.zeros((1, 1)), apart)[0, 0]
    assert math.log(len(kept)) <= bound == pytest.approx(2 * math.log(1 + 2 / apart))


def test_layers_within_their_share_move_outputs_by_no_more_than_the_radius() -> None:
    """200 pairs of ReLU networks of three layers, each layer moved by s alpha / (L R), the whole of what is allowed."""
    draw, alpha = np.random.default_rng(2), 0.2
    x = draw.normal(size=(20, 4))
    spectral = np.array([1.5, 0.7, 2.0])
    reach = np.linalg.norm(x) / math.sqrt(20) * spectral.prod()
    for _ in range(200):
        pairs = []
        for place, shape in enumerate([(5, 4), (5, 5), (3, 5)]):
            one, way = draw.normal(size=shape), draw.normal(size=shape)
            one *= spectral[place] / np.linalg.norm(one, 2)
            other = one + way / np.linalg.norm(way) * spectral[place] * alpha / (3 * reach)
            other *= min(1.0, spectral[place] / np.linalg.norm(other, 2))  # back into the class
            share = np.linalg.norm(other - one) / (spectral[place] * alpha / (3 * reach))
            pairs.append((one, other, share))
        a = b = x.T
        for place, (one, other, _) in enumerate(pairs):
            a, b = one @ a, other @ b
            if place < 2:
                a, b = np.maximum(a, 0), np.maximum(b, 0)
        assert np.linalg.norm(a - b) / math.sqrt(20) <= alpha * max(share for *_, share in pairs) * (1 + 1e-9)


def test_the_complexity_is_never_below_that_of_thresholds() -> None:
    """Ramps w x clipped to [0, 1], |w| <= 1 on ten inputs in [-1, 1]: all 1,024 signs, the supremum over a fine grid of w."""
    x, w = np.linspace(-1, 1, 10), np.linspace(-1, 1, 401)
    functions = np.clip(np.outer(w, x) + 0.5, 0, 1)
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=10)))
    exact = (signs @ functions.T).max(1).mean() / 10
    reach = math.log(np.linalg.norm(x) / math.sqrt(10))
    bound = covered_complexity(np.zeros((1, 1)), np.array([1.0]), np.array([[reach]]), 10)[0, 0]
    assert exact < bound < 1
    values = [r + math.sqrt(math.log(1 + 2 * math.exp(reach) / r) / 20) for r in RADII]
    assert bound == pytest.approx(min(values), rel=1e-8)


def test_many_parameters_cost_their_root() -> None:
    one, zero = np.zeros((1, 1)), np.zeros((1, 3))
    few, many = (covered_complexity(one, np.array([p]), zero, 10**6) for p in (10.0, 1000.0))
    assert few.shape == (1, 3)
    assert np.allclose(many / few, 9, atol=1.5)  # a little less than 10: the best radius is larger
