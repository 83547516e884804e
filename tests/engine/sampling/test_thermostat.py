"""The thermostat on a quadratic law, with exact gradients and with noise that nobody told it of."""

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import NBETA, LossField, quadratic, quadratic_coefficient, target

from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import Sampler
from heldout.engine.sampling.thermostat import Sgnht, _heated

CHAINS = 60


def run(sampler: Sampler, field: LossField, size: float, steps: int, first: int) -> np.ndarray:
    law, streams = target(field, chains=CHAINS), Streams(0, CHAINS)
    state, found = sampler.begin(law, streams), []
    for number in range(steps):
        state = sampler.step(law, state, torch.tensor([size], dtype=torch.float64), streams, number)
        if number >= first:
            found.append(NBETA * field.losses(state.position, law.group_of).mean(1))
    return torch.stack(found, 1).numpy()


def test_it_samples_a_quadratic_law() -> None:
    """Ten equal directions."""
    field = quadratic((1.0,) * 10)
    found = run(Sgnht(friction=3.0), field, 0.019, 400, 150)
    assert found.mean() == pytest.approx(quadratic_coefficient((1.0,) * 10, NBETA, 1.0), rel=0.05)


def test_its_step_adds_nothing_to_a_quadratic_law() -> None:
    """A step as long as the inverse frequency of ten of the directions, where Euler's would add a quarter."""
    precisions = (1.0,) * 10 + (0.2,) * 10
    found = run(Sgnht(friction=3.0), quadratic(precisions), 1 / (NBETA + 1) ** 0.5, 1200, 200)
    assert found.mean() == pytest.approx(quadratic_coefficient(precisions, NBETA, 1.0), rel=0.01)


def test_it_takes_up_the_noise_of_minibatches() -> None:
    """``(w - x_i)^2 / 2`` in ten coordinates, signs ``x_i`` that are balanced in each, a hundred of 400 examples a step.

    Their mean has variance ``1 / 100 * 300 / 399``; times ``nb^2`` it is a noise V that heats like a friction of ``h V /
    2``, which the thermostat must add to its own.
    """
    orders = [torch.randperm(400, generator=torch.Generator().manual_seed(k)) for k in range(10)]
    x = torch.tensor([1.0, -1.0] * 200, dtype=torch.float64)[torch.stack(orders, 1)]
    field = LossField(lambda w: 0.5 * ((w[:, None, :] - x[None]).square() - 1).sum(2), 10)
    law, streams, size, sampler = target(field, chains=30), Streams(0, 30), 0.012, Sgnht(100, friction=3.0)
    state, found, friction = sampler.begin(law, streams), [], []
    for number in range(900):
        state = sampler.step(law, state, torch.tensor([size], dtype=torch.float64), streams, number)
        if number >= 450:
            found.append(float(0.5 * NBETA * state.position.square().sum(1).mean()))
            friction.append(float(state.memory.mean()))
    assert np.mean(found) == pytest.approx(quadratic_coefficient((1.0,) * 10, NBETA, 1.0), rel=0.06)
    assert np.mean(friction) == pytest.approx(3.0 + size / 2 * NBETA**2 / 100 * 300 / 399, rel=0.1)


def test_friction_heats_for_as_long_as_the_step_lasts() -> None:
    """``(1 - exp(-2 f t)) / f``: its limit without friction, and with one that drives."""
    friction, time = torch.tensor([[0.0], [1e-9], [3.0], [-2.0]], dtype=torch.float64), torch.full((4, 1), 0.25)
    exact = [0.5, 0.5, (1 - np.exp(-1.5)) / 3, (1 - np.exp(1.0)) / -2]
    assert _heated(friction, time.double())[:, 0].tolist() == pytest.approx(exact, rel=2e-4)
