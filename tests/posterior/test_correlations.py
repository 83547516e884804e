"""Correlations and influences against the conjugate linear model, whose posterior moments are known in closed form."""

import numpy as np
import pytest
from tests.oracles.quadratic_losses import LinearModel, losses

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.correlations import bayesian_influence, loss_coherence, loss_correlations
from heldout.posterior.predictive_losses import functional_variance

N, M, BETA, GAMMA = 6, 3, 0.7, 0.5


def model() -> tuple[LinearModel, np.ndarray, np.ndarray]:
    """The model of N training examples; inputs and targets of these and of M others."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(N + M, 2)), generator.normal(size=N + M)
    return LinearModel(x[:N], y[:N], np.full(N, BETA), GAMMA), x, y


def test_covariances_and_correlations_are_those_of_the_model() -> None:
    """54 entries within 7 of their own errors, from 32 half chains each: beyond with a chance below 54 * 8e-8."""
    own, x, y = model()
    drawn = losses(own.draws(np.random.default_rng(1), 16, 2000), x, y)
    exact = own.loss_covariance(x, y)
    for found, of in (
        (loss_correlations(drawn[..., :N]), exact[:N, :N]),
        (loss_correlations(drawn[..., :N], drawn[..., N:]), exact[:N, N:]),
    ):
        assert (np.abs(found.covariance - of) < 7 * found.covariance_error).all()
        assert np.median(found.covariance_error) < 0.02 * np.abs(exact).max()
    correlation = exact / np.sqrt(np.multiply.outer(np.diag(exact), np.diag(exact)))
    found = loss_correlations(drawn)
    off = ~np.eye(N + M, dtype=bool)
    assert (np.abs(found.correlation - correlation)[off] < 7 * found.correlation_error[off]).all()
    assert np.diag(found.correlation) == pytest.approx(1.0)
    assert np.diag(found.correlation_error) == pytest.approx(0.0, abs=1e-12)


def test_errors_are_the_spread_over_repetitions() -> None:
    own, x, y = model()
    generator = np.random.default_rng(2)
    many = [loss_correlations(losses(own.draws(generator, 8, 200), x, y)) for _ in range(100)]
    for value, error in (("covariance", "covariance_error"), ("correlation", "correlation_error")):
        spread = np.std([getattr(each, value) for each in many], axis=0)
        said = np.mean([getattr(each, error) for each in many], axis=0)
        off = ~np.eye(N + M, dtype=bool)
        assert np.median(said[off] / spread[off]) == pytest.approx(1.0, abs=0.15)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own, x, y = model()
    drawn = losses(own.draws(np.random.default_rng(3), 4, 50), x, y)
    whole = loss_correlations(drawn)
    monkeypatch.setattr("heldout.posterior.correlations.BLOCK", 1)
    for a, b in zip(whole, loss_correlations(drawn), strict=True):
        assert a == pytest.approx(b, abs=1e-12)


def test_a_loss_that_never_varies_has_no_correlation() -> None:
    drawn = np.random.default_rng(4).normal(size=(4, 60, 2)) * np.array([1.0, 0.0])
    found = loss_correlations(drawn)
    assert np.isnan(found.correlation[0, 1])
    assert found.covariance[0, 1] == 0


def test_the_influence_is_the_derivative_by_the_examples_weight() -> None:
    """Against difference quotients of closed forms: 18 entries within 7 of their errors."""
    own, x, y = model()
    drawn = losses(own.draws(np.random.default_rng(5), 16, 2000), x, y)
    influence, error = bayesian_influence(drawn[..., :N], drawn[..., N:], BETA)
    step, exact = 1e-4, np.zeros((N, M))
    for i in range(N):
        up, down = (
            LinearModel(x[:N], y[:N], BETA * (1 + sign * step * np.eye(N)[i]), GAMMA).mean_losses(x[N:], y[N:])
            for sign in (1, -1)
        )
        exact[i] = (up - down) / (2 * step)
    assert (np.abs(influence - exact) < 7 * error).all()
    assert np.median(error) < 0.05 * np.abs(exact).max()


def test_coherence_is_heat_capacity_over_functional_variance() -> None:
    """And that of the closed form within 5 of its standard errors."""
    own, x, y = model()
    drawn = losses(own.draws(np.random.default_rng(6), 8, 2000), x, y)
    exact = own.loss_covariance(x, y)
    value, influence = loss_coherence(drawn)
    assert value == pytest.approx(drawn.sum(2).var() / functional_variance(drawn)[0])
    assert abs(value - exact.sum() / np.trace(exact)) < 5 * monte_carlo_error(influence)
    assert influence.mean() == pytest.approx(0.0, abs=1e-9)
    again = np.concatenate([drawn.reshape(1, -1, N + M), drawn[:1, :1]], axis=1)
    assert (loss_coherence(again)[0] - value) * again.shape[1] == pytest.approx(influence[0, 0], rel=0.01, abs=1e-3)
