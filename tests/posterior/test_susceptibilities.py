"""Susceptibilities against a linear model of which one parameter is drawn: derivatives of closed forms by the law of the data."""

import numpy as np
from tests.oracles.quadratic_losses import LinearModel, losses

from heldout.posterior.susceptibilities import susceptibilities

N, NBETA, GAMMA = 5, 9.0, 0.4
GENERATOR = np.random.default_rng(0)
X, Y, CENTRE = GENERATOR.normal(size=(N, 3)), GENERATOR.normal(size=N), np.array([0.3, -0.2, 0.5])
PART = (1, 2)


def of(weights: np.ndarray, free: tuple[int, ...] = ()) -> LinearModel:
    """The posterior for these weights of the examples."""
    return LinearModel(X, Y, weights, GAMMA, free, CENTRE)


def test_they_are_the_derivatives_of_the_model() -> None:
    """Ten numbers within 7 of their own errors, from 32 half chains each: beyond with a chance below 10 * 8e-8."""
    even = np.full(N, NBETA / N)
    part, whole = of(even, PART), of(even)
    generator = np.random.default_rng(1)
    inside, outside = (losses(each.draws(generator, 16, 4000), X, Y) for each in (part, whole))
    centre = 0.5 * np.square(Y - X @ CENTRE).mean()
    found = susceptibilities(inside.mean(2), inside, float(centre), outside.mean(2), outside)

    step, within = 1e-4, np.zeros(N)
    for probe in range(N):
        up, down = (
            of(NBETA * ((1 - h) / N + h * np.eye(N)[probe]), PART).mean_losses(X, Y).mean() for h in (step, -step)
        )
        within[probe] = (up - down) / (2 * step) / NBETA
    change = [each.mean_losses(X, Y) - each.mean_losses(X, Y).mean() for each in (part, whole)]
    published = within - (part.mean_losses(X, Y).mean() - centre) * (change[0] - change[1])
    assert (np.abs(found.within - within) < 7 * found.within_error).all()
    assert (np.abs(found.value - published) < 7 * found.error).all()
    assert np.abs(published - within).max() > 20 * found.error.max()  # the two definitions are told apart
    assert found.within_error.max() < 0.05 * np.abs(within).max()


def test_errors_are_the_spread_over_repetitions() -> None:
    even, generator, many = np.full(N, NBETA / N), np.random.default_rng(2), []
    for _ in range(150):
        inside, outside = (losses(of(even, free).draws(generator, 8, 100), X, Y) for free in (PART, ()))
        many.append(susceptibilities(inside.mean(2), inside, 0.1, outside.mean(2), outside))
    for value, error in (("value", "error"), ("within", "within_error")):
        spread = np.std([getattr(each, value) for each in many], axis=0)
        ratio = np.mean([getattr(each, error) for each in many], axis=0) / spread
        assert (np.abs(ratio - 1) < 0.3).all()


def test_a_probe_that_is_like_the_data_moves_nothing() -> None:
    mean = np.random.default_rng(3).normal(size=(4, 60))
    found = susceptibilities(mean, mean[..., None], 0.0, mean[:, :30], mean[:, :30, None])
    assert not found.value.any()
    assert not found.within.any()
