"""Pareto-smoothed weights against arviz-stats 0.8.0, whose numbers for these ratios are typed here."""

import numpy as np
import pytest

from heldout.engine.numerics.pareto_smoothing import smoothed_weights


def ratios() -> np.ndarray:
    generator = np.random.default_rng(7)
    return np.stack([generator.normal(size=400) * scale for scale in (0.3, 1.0, 3.0)], axis=1)


def test_weights_and_shapes_are_those_of_the_peer() -> None:
    found = smoothed_weights(ratios())
    assert found.shape == pytest.approx([-0.08197963509516179, 0.2022652240907354, 1.5143850955568838], rel=1e-9)
    largest = np.sort(found.log_weights, axis=0)[-2:]
    assert largest[:, 0] == pytest.approx([-5.32202665, -5.32202665], abs=1e-7)
    assert largest[:, 1] == pytest.approx([-3.82349941, -3.82349941], abs=1e-7)
    assert np.exp(found.log_weights).sum(0) == pytest.approx(1.0)


def test_the_order_of_the_draws_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(400)
    assert np.allclose(smoothed_weights(ratios()[order]).log_weights, smoothed_weights(ratios()).log_weights[order])


def test_equal_ratios_stay_equal() -> None:
    found = smoothed_weights(np.full((60, 2), 5.0))
    assert np.allclose(found.log_weights, -np.log(60))
    assert (found.shape == -np.inf).all()


def test_a_tail_that_vanishes_beside_one_ratio_is_not_trusted() -> None:
    log_ratios = np.full((60, 1), -2000.0) + np.random.default_rng(0).normal(size=(60, 1))
    log_ratios[7] = 0.0
    found = smoothed_weights(log_ratios)
    assert found.shape[0] == np.inf
    assert found.log_weights[7, 0] == pytest.approx(0.0)
