"""Hamiltonian trajectories: exact on quadratics and on a valley whose curvature grows without bound."""

import math

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import NBETA, LossField, normal_crossing, normal_crossing_coefficient, quadratic, target

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.engine.sampling.hamiltonian import Hmc, _Phase, trajectory
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.target import Target


def run(law: Target, sampler: Hmc, size: float, draws: int) -> np.ndarray:
    streams = Streams(0, law.chains)
    state, found = sampler.begin(law, streams), []
    for number in range(draws):
        state = sampler.step(law, state, torch.full((law.groups,), size, dtype=torch.float64), streams, number)
        found.append(state.energy.losses.mean(1))
    return torch.stack(found, 1).numpy()


def one(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def test_a_trajectory_goes_back_the_way_it_came() -> None:
    law = target(quadratic(), chains=3)
    position = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = _Phase(position, torch.ones_like(position), law.energy(position))
    h, lengths = torch.full((3,), 0.02, dtype=torch.float64), torch.tensor([1, 7, 20])
    end = trajectory(law, start, h, lengths)
    home = trajectory(law, end._replace(momentum=-end.momentum), h, lengths)
    assert torch.allclose(home.position, position, atol=1e-10)
    assert torch.allclose(-home.momentum, start.momentum, atol=1e-9)


def test_a_chain_whose_trajectory_is_shorter_is_left_where_it_arrived() -> None:
    law = target(quadratic(), chains=2)
    start = _Phase(law.start, torch.ones(2, 5, dtype=torch.float64), law.energy(law.start))
    h = torch.full((2,), 0.02, dtype=torch.float64)
    both = trajectory(law, start, h, torch.tensor([2, 5]))
    alone = trajectory(law, start, h, torch.tensor([2, 2]))
    assert torch.allclose(both.position[0], alone.position[0])
    assert torch.allclose(both.energy.value, law.energy(both.position).value)


@pytest.mark.parametrize(("size", "halvings"), [(0.06, 0), (0.15, 4)])
def test_it_is_exact_on_a_quadratic_with_a_stable_step_and_with_one_that_must_be_halved(
    size: float, halvings: int
) -> None:
    """Five directions of equal precision A = 145.8, stable below 0.166: within 5 standard errors."""
    law = target(quadratic((1.0,) * 5), chains=40)
    found = NBETA * run(law, Hmc(one(1 / 145.8), halvings=halvings), size, 100)[:, 10:]
    exact = 2.5 * NBETA / (NBETA + 1)
    assert abs(found.mean() - exact) < 5 * monte_carlo_error(found)
    assert monte_carlo_error(found) < 0.05 * exact


def test_without_halving_chains_miss_the_valleys_of_a_normal_crossing() -> None:
    """``w_1^2 w_2^2``: the exact law within 5 standard errors with halving; without it, they stay near the crossing."""
    law = target(normal_crossing(1, 1), nbeta=200.0, chains=16)
    exact = normal_crossing_coefficient(1, 1, 200.0, 1.0)
    spread = {}
    for halvings in (0, 4):
        streams, sampler = Streams(0, 16), Hmc(one(1.0), halvings=halvings)
        state, losses, distances = sampler.begin(law, streams), [], []
        for number in range(60):
            state = sampler.step(law, state, one(0.15), streams, number)
            losses.append(200.0 * state.energy.losses.mean(1))
            distances.append(state.position.square().sum(1))
        found = torch.stack(losses, 1).numpy()[:, 5:]
        spread[halvings] = float(torch.stack(distances, 1)[:, 5:].mean())
        if halvings:
            assert abs(found.mean() - exact) < 5 * monte_carlo_error(found)
    assert spread[0] < 0.7 * spread[4]


def test_groups_of_two_temperatures_in_one_stack_are_those_alone() -> None:
    field = quadratic((1.0, 5.0))
    apart = [run(target(field, nbeta=nbeta, chains=3), Hmc(one(1.0)), 0.03, 4) for nbeta in (20.0, 100.0)]
    ones = torch.ones(2, dtype=torch.float64)
    both = Target.of(field, torch.tensor([0, 0]), torch.tensor([20.0, 100.0], dtype=torch.float64), ones, 3)
    together = run(both, Hmc(ones), 0.03, 4)
    assert np.allclose(together, np.concatenate(apart), rtol=1e-9)


def test_what_has_no_finite_energy_is_rejected() -> None:
    field = LossField(lambda w: torch.where(w[:, 0] > 0.05, math.nan, w[:, 0].square()), 1)
    found = run(target(field, chains=4), Hmc(one(0.01), halvings=1), 0.05, 30)
    assert np.isfinite(found).all()


def test_directions_that_only_the_localiser_holds_cost_no_error() -> None:
    """A thousand flat directions and a step of a quarter period: their trajectory is exact, so that nothing is rejected."""
    law = target(quadratic((0.0,) * 1000), localisation=4.0, chains=4)
    streams, sampler = Streams(0, 4), Hmc(one(1 / 4.0), halvings=0)
    state = sampler.begin(law, streams)
    for number in range(20):
        state = sampler.step(law, state, one(0.5), streams, number)
        assert state.accepted.min() > 1 - 1e-9
    spread = state.position.square().mean(1) * 4.0
    assert torch.allclose(spread, torch.ones(4, dtype=torch.float64), atol=5 * math.sqrt(2 / 1000))


def test_the_duration_of_a_trajectory_is_cut_into_even_steps() -> None:
    """0.4 to 1.3 of a quarter period of pi / 2, by steps of at most one half."""
    sampler = Hmc(one(1.0))
    assert sampler.lengths(one(0.5), 0.4).tolist() == [2]
    assert sampler.lengths(one(0.5), 1.3).tolist() == [5]
    assert sampler.duration(1.0).tolist() == pytest.approx([math.pi / 2])
