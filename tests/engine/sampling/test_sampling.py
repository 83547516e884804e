"""Sampling from beginning to end with automatic settings, on laws whose coefficient is known; and its refusals."""

import math

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import (
    NBETA,
    PRECISIONS,
    LossField,
    normal_crossing,
    normal_crossing_coefficient,
    quadratic,
    quadratic_coefficient,
    target,
)

from heldout.engine.sampling import Draws, Settings, Target, sample
from heldout.engine.sampling.convergence import monte_carlo_error


def coefficient(draws: Draws) -> tuple[float, float]:
    """Value and standard error of ``nb E[K]``."""
    series = draws.nbeta * (draws.recorded.mean_losses - draws.centre_losses.mean())
    return float(series.mean()), draws.nbeta * monte_carlo_error(draws.recorded.mean_losses)


def test_the_quadratic_law_with_nothing_chosen() -> None:
    """Within 5 standard errors (failure probability 6e-7), which are below 6 %."""
    draws = sample(target(quadratic()), Settings(precision=0.05))[0]
    value, error = coefficient(draws)
    exact = quadratic_coefficient(PRECISIONS, NBETA, 1.0)
    assert draws.equilibrium.converged, draws.equilibrium.reason
    assert abs(value - exact) < 5 * error
    assert error < 0.06 * exact
    assert draws.effective == pytest.approx(exact, rel=1e-6)
    assert draws.deficit == pytest.approx(0.0, abs=1e-9)
    assert draws.largest == pytest.approx(5.0, rel=1e-6)


@pytest.mark.parametrize("sampler", ["mala", "sgld", "sgnht"])
def test_the_other_samplers_agree(sampler: str) -> None:
    exact = quadratic_coefficient((0.1, 1.0, 5.0), NBETA, 1.0)
    draws = sample(target(quadratic((0.1, 1.0, 5.0))), Settings(sampler=sampler, precision=0.06, draws=100))[0]
    value, error = coefficient(draws)
    assert draws.equilibrium.converged, draws.equilibrium.reason
    assert abs(value - exact) < 5 * error + 0.04 * exact  # what the rule allows the step size to add, twice
    assert error < 0.1 * exact


def test_a_singular_law_with_nothing_chosen() -> None:
    nbeta = 50.0
    draws = sample(target(normal_crossing(2, 1), nbeta=nbeta), Settings(precision=0.08, draws=200))[0]
    value, error = coefficient(draws)
    exact = normal_crossing_coefficient(2, 1, nbeta, 1.0)
    assert draws.equilibrium.converged, draws.equilibrium.reason
    assert abs(value - exact) < 5 * error
    assert exact < 0.5 * 2 / 2  # far below what a regular model of its size has


def test_the_naive_step_is_refused_with_what_it_would_need() -> None:
    """Steps of 1e-5 at a localisation of 100: draws are 1000 steps apart, and 700 of them are no draw."""
    settings = Settings(sampler="sgld", step_size=2e-5, draws=200, budget=700.0)
    draws = sample(target(quadratic((1e-3,) * 20 + (1.0,)), localisation=100.0), settings)[0]
    assert not draws.equilibrium.converged
    assert "too few" in draws.equilibrium.reason
    assert draws.steps == 1000


def test_too_large_a_step_is_refused() -> None:
    draws = sample(target(quadratic()), Settings(sampler="sgld", step_size=0.02, draws=50, budget=3000.0))[0]
    assert not draws.equilibrium.converged
    assert "diverged" in draws.equilibrium.reason
    assert "step_size" in draws.equilibrium.reason


def test_too_small_a_budget_is_refused_with_a_larger_one() -> None:
    draws = sample(target(normal_crossing(1, 1), nbeta=1000.0), Settings(draws=50, budget=300.0))[0]
    assert not draws.equilibrium.converged
    assert "budget" in draws.equilibrium.reason


def test_members_and_temperatures_side_by_side() -> None:
    field = quadratic((1.0, 5.0), members=2)
    field.centres[1] += 0.3  # no minimum: the deficit says by how much
    nbetas = torch.tensor([20.0, 20.0, 100.0], dtype=torch.float64)
    law = Target.of(field, torch.tensor([0, 1, 0]), nbetas, torch.ones(3, dtype=torch.float64), 8)
    found = sample(law, Settings(precision=0.1, draws=100))
    assert [draws.member for draws in found] == [0, 1, 0]
    assert [draws.nbeta for draws in found] == [20.0, 20.0, 100.0]
    h = np.array([1.0, 5.0])
    assert found[1].deficit == pytest.approx(0.5 * (20 * h * 0.3) ** 2 @ (1 / (20 * h + 1)))
    for k, (nbeta, shift) in enumerate(((20.0, 0.0), (20.0, 0.3), (100.0, 0.0))):
        a = nbeta * h + 1
        mean = shift / a  # of w: the localiser pulls towards the centre
        exact = (0.5 * nbeta * h * (1 / a + mean**2 - shift**2)).sum()
        value, error = coefficient(found[k])
        assert abs(value - exact) < 5 * error, k


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    runs = [
        sample(target(quadratic((1.0, 2.0))), Settings(draws=50, precision=0.5, seed=seed))[0] for seed in (4, 4, 5)
    ]
    assert np.array_equal(runs[0].recorded.mean_losses, runs[1].recorded.mean_losses)
    assert not np.array_equal(runs[0].recorded.mean_losses, runs[2].recorded.mean_losses)


def test_losses_of_single_examples_are_kept_and_test_losses_beside_them() -> None:
    x = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)
    field = LossField(lambda w: 0.5 * (w[:, :1] - x).square(), 1)
    test = LossField(lambda w: 0.5 * (w[:, :1] - 2 * x).square(), 1)
    draws = sample(target(field, nbeta=10.0), Settings(draws=50, precision=0.5), test=test)[0]
    kept = draws.recorded.losses
    assert kept.shape[2] == 3
    assert kept.mean(2) == pytest.approx(draws.recorded.mean_losses[:, : kept.shape[1]], rel=1e-5)
    assert draws.recorded.test_losses is not None
    # (2 - w)^2 / 2 - w^2 / 2 is 2 - 2 w, and the same of training losses 1 / 2 - w
    slope = (draws.recorded.test_losses[:, :, 2] - draws.recorded.test_losses[:, :, 1] - 2) / (
        kept[:, :, 2] - kept[:, :, 1] - 0.5
    )
    assert np.median(slope) == pytest.approx(2.0, rel=1e-4)
    assert draws.centre_test_losses == pytest.approx([2.0, 0.0, 2.0])
    assert math.isclose(draws.beta, 10.0 / 3)
