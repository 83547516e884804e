"""WAIC, WBIC and leave-one-out against the integrals of a Gaussian mean with known posterior."""

import math

import numpy as np
import pytest
from tests.oracles.posterior_data import GaussianMean
from tests.posterior.test_predictive_losses import BETA, drawn

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.information_criteria import leave_one_out_loss, waic, wbic


def test_waic_is_its_integral() -> None:
    model, losses = drawn()
    value, influence = waic(losses, BETA)
    assert abs(value - model.exact()["waic"]) < 5 * monte_carlo_error(influence)
    assert influence.mean() == pytest.approx(0.0, abs=1e-9)


def test_waic_of_the_bayesian_posterior_has_the_printed_mean() -> None:
    """``n (WAIC - L0) = .51052`` for n = 20 and one coordinate: over 4000 data sets, integrals alone, within 5 standard errors."""
    generator, found = np.random.default_rng(1), []
    for _ in range(4000):
        samples = generator.normal(size=(20, 1))
        level = (
            0.5 * (np.square(samples) + np.log(2 * np.pi)).mean()
        )  # L0 is the loss of the true mean on the same data
        found.append(
            20 * (GaussianMean(samples, 1.0, 0.0).exact()["waic"] - level)
            + 20 * (level - 0.5 * (1 + np.log(2 * np.pi)))
        )
    assert abs(np.mean(found) - 0.51052) < 5 * np.std(found) / math.sqrt(4000)


def test_leaving_one_out_is_what_the_posterior_without_it_predicts() -> None:
    """The exact one: without example i the law of the mean is Gaussian again."""
    generator = np.random.default_rng(0)
    model = GaussianMean(generator.normal(size=(20, 1)), 1.0, 0.0)
    w = generator.normal(size=(8, 4000, 1)) * np.sqrt(model.variance)
    losses = 0.5 * (np.square(model.samples[:, 0] - model.centre - w) + np.log(2 * np.pi))
    value, influence = leave_one_out_loss(losses, 1.0)
    x = model.samples[:, 0]
    others = (x.sum() - x) / 19
    exact = 0.5 * (np.log(2 * np.pi * (1 + 1 / 19)) + np.square(x - others) / (1 + 1 / 19)).mean()
    assert abs(value - exact) < 5 * monte_carlo_error(influence)
    assert monte_carlo_error(influence) < 0.005


def test_leaving_out_an_example_that_holds_everything_is_refused() -> None:
    losses = np.random.default_rng(0).exponential(size=(4, 200, 3)) * np.array([0.1, 0.1, 30.0])
    assert math.isnan(leave_one_out_loss(losses, 1.0)[0])
    assert not math.isnan(leave_one_out_loss(losses, 0.003)[0])  # at a high temperature one example weighs little


def test_wbic_is_defined_at_one_temperature() -> None:
    assert wbic(np.array([[0.1, 0.3]]), 1 / math.log(50), 50)[0] == pytest.approx(10.0)
    assert math.isnan(wbic(np.array([[0.1, 0.3]]), 1.0, 50)[0])
