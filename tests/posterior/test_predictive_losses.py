"""Losses and fluctuations against the integrals of a Gaussian mean with known posterior (test vector T8)."""

import numpy as np
import pytest
from tests.oracles.posterior_data import GaussianMean

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.predictive_losses import (
    bayes_test_loss,
    bayes_training_loss,
    functional_variance,
    gibbs_test_loss,
    gibbs_training_loss,
    singular_fluctuation,
)

BETA = 0.7


def drawn() -> tuple[GaussianMean, np.ndarray]:
    """The model, and losses of exact draws ``[8, 2000, 20]``."""
    generator = np.random.default_rng(0)
    model = GaussianMean(generator.normal(size=(20, 3)), BETA, 2.0)
    w = generator.normal(size=(8, 2000, 1, 3)) * np.sqrt(model.variance)
    return model, 0.5 * (np.square(model.samples - model.centre - w) + np.log(2 * np.pi)).sum(3)


def test_each_is_its_integral_within_five_standard_errors() -> None:
    model, losses = drawn()
    exact = model.exact()
    for name, (value, influence) in {
        "bayes-training-loss": bayes_training_loss(losses),
        "gibbs-training-loss": gibbs_training_loss(losses),
        "functional-variance": functional_variance(losses),
        "singular-fluctuation": singular_fluctuation(losses, BETA),
    }.items():
        assert abs(value - exact[name]) < 5 * monte_carlo_error(influence), name
        assert monte_carlo_error(influence) < 0.05 * abs(exact[name])
        assert influence.mean() == pytest.approx(0.0, abs=1e-9)


def test_on_test_data_they_are_the_same_functions() -> None:
    _, losses = drawn()
    assert bayes_test_loss(losses)[0] == bayes_training_loss(losses)[0]
    assert gibbs_test_loss(losses)[0] == gibbs_training_loss(losses)[0]


def test_the_mean_prediction_loses_no_more_than_a_drawn_network() -> None:
    _, losses = drawn()
    assert bayes_training_loss(losses)[0] < gibbs_training_loss(losses)[0]


def test_losses_that_underflow_as_probabilities_are_no_trouble() -> None:
    assert bayes_training_loss(np.full((2, 3, 4), 2000.0))[0] == pytest.approx(2000.0)
