"""Estimators of the learning coefficient on draws whose law is known: the excess loss of a quadratic model is a gamma variable."""

import math

import numpy as np
import pytest

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.learning_coefficient import (
    learning_coefficient,
    learning_coefficient_heat_capacity,
    learning_coefficient_slope,
    learning_coefficient_two_temperatures,
)

NBETA, N = 200.0, 1500
CENTRE = np.full(N, 0.7)


def draws(coefficient: float) -> np.ndarray:
    """``nb K`` is a gamma variable of this shape, whose mean and variance are both the coefficient."""
    return 0.7 + np.random.default_rng(3).gamma(coefficient, 1 / NBETA, size=(8, 4000))


@pytest.mark.parametrize("coefficient", [0.5, 4.0])
def test_all_three_find_it_within_five_of_their_standard_errors(coefficient: float) -> None:
    mean_losses = draws(coefficient)
    for value, influence in (
        learning_coefficient(mean_losses, CENTRE, NBETA),
        learning_coefficient_two_temperatures(mean_losses, NBETA, N),
        learning_coefficient_heat_capacity(mean_losses, NBETA),
    ):
        error = monte_carlo_error(influence)
        assert abs(value - coefficient) < 5 * error
        assert error < 0.06 * coefficient
    slope, influence = learning_coefficient_slope(mean_losses, CENTRE, NBETA)
    assert abs(slope) < 5 * monte_carlo_error(influence)


def test_the_influence_is_the_derivative_by_a_draws_weight() -> None:
    """Against a difference quotient: draw (0, 0) counted twice among S raises the value by its influence / S, to first order."""
    mean_losses = draws(2.0)[:2, :300]
    again = np.concatenate([mean_losses.ravel(), mean_losses[0, :1]])[None]
    for estimator in (
        lambda x: learning_coefficient(x, CENTRE, NBETA),
        lambda x: learning_coefficient_two_temperatures(x, NBETA, N),
        lambda x: learning_coefficient_heat_capacity(x, NBETA),
        lambda x: learning_coefficient_slope(x, CENTRE, NBETA),
    ):
        value, influence = estimator(mean_losses)
        assert influence.mean() == pytest.approx(0.0, abs=1e-9)
        assert (estimator(again)[0] - value) * again.size == pytest.approx(influence[0, 0], rel=0.02, abs=0.02)


def test_a_centre_that_is_too_high_moves_the_first_alone() -> None:
    mean_losses = draws(2.0)
    high = CENTRE + 3 / NBETA
    assert learning_coefficient(mean_losses, high, NBETA)[0] == pytest.approx(2.0 - 3.0, abs=0.05)
    assert learning_coefficient_slope(mean_losses, high, NBETA)[0] == pytest.approx(-3.0, abs=0.2)


def test_a_second_temperature_that_is_out_of_reach_gives_no_number() -> None:
    assert math.isnan(learning_coefficient_two_temperatures(draws(500.0)[:, :20], NBETA, N)[0])
    assert not math.isnan(learning_coefficient_two_temperatures(draws(50.0), NBETA, 10**6)[0])
