"""Langevin chains on the quadratic of test vector T1, where every moment of every step is known."""

import math

import numpy as np
import pytest
import torch
from tests.oracles.posteriors import NBETA, PRECISIONS, LossField, quadratic, quadratic_coefficient, target

from heldout.engine.sampling.langevin import RmspropSgld, Sgld
from heldout.engine.sampling.metropolis import Mala
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import Sampler

CHAINS = 150


def run(sampler: Sampler, field: LossField, size: float, steps: int, first: int = 0) -> tuple[np.ndarray, torch.Tensor]:
    """``nb K`` of every chain at every step from ``first`` on, recorded before the step; and the last acceptance."""
    law, streams = target(field, chains=CHAINS), Streams(1, CHAINS)
    state, found = sampler.begin(law, streams), []
    for number in range(steps):
        if number >= first:
            found.append(NBETA * field.losses(state.position, law.group_of).mean(1))
        state = sampler.step(law, state, torch.tensor([size], dtype=torch.float64), streams, number)
    return torch.stack(found, 1).numpy(), state.accepted


def close(found: np.ndarray, exact: float) -> None:
    """The mean over chains within 5 standard errors, taken from chains, which are independent: failure probability 6e-7."""
    means = found.mean(1)
    assert abs(means.mean() - exact) < 5 * means.std(ddof=1) / math.sqrt(CHAINS)
    assert means.std(ddof=1) / math.sqrt(CHAINS) < 0.15 * exact


def unadjusted(step: float, steps: int) -> float:
    """Mean of ``nb K`` over the first draws: variances ``(1 - (1 - eps A / 2)^(2 t)) / (A (1 - eps A / 4))``."""
    h, t = np.array(PRECISIONS)[:, None], np.arange(steps)[None]
    a = NBETA * h + 1.0
    variance = (1 - (1 - step * a / 2) ** (2 * t)) / (a * (1 - step * a / 4))
    return float(0.5 * NBETA * (h * variance).sum(0).mean())


def test_the_oracles_are_the_printed_ones() -> None:
    assert quadratic_coefficient(PRECISIONS, NBETA, 1.0) == pytest.approx(1.822524, abs=1e-6)
    assert quadratic_coefficient(PRECISIONS, NBETA, 1.0, 1e-3) == pytest.approx(1.953822, abs=1e-6)
    assert unadjusted(1e-3, 200) == pytest.approx(1.494080, abs=1e-6)


def test_the_first_draws_of_sgld_have_the_bias_of_burn_in() -> None:
    close(run(Sgld(), quadratic(), 1e-3, 200)[0], 1.494080)


def test_a_large_step_inflates_what_sgld_finds() -> None:
    """At ``eps A = 3`` for the stiffest direction, four times its variance; only that direction is looked at."""
    field, step = quadratic((5.0,)), 3 / (5 * NBETA + 1)
    close(run(Sgld(), field, step, 150, first=50)[0], quadratic_coefficient((5.0,), NBETA, 1.0, step))
    assert quadratic_coefficient((5.0,), NBETA, 1.0, step) > 3.9 * quadratic_coefficient((5.0,), NBETA, 1.0)


def test_mala_has_no_bias_at_a_step_where_sgld_has() -> None:
    field = quadratic((1.0, 5.0))
    found, accepted = run(Mala(), field, 2e-3, 250, first=50)
    close(found, quadratic_coefficient((1.0, 5.0), NBETA, 1.0))
    assert 0.5 < float(accepted.mean()) < 0.99


def test_minibatches_add_noise_and_the_control_variate_takes_it_away() -> None:
    """Examples ``(w - x_i)^2 / 2`` with ``x_i = +-3``: the gradient noise does not depend on w, and so is removed entirely."""
    x = torch.tensor([3.0, -3.0] * 20, dtype=torch.float64)
    field = LossField(lambda w: 0.5 * ((w[:, :1] - x).square() - 9), 1)
    step, batch = 2e-3, 4
    exact = 0.5 * NBETA / (NBETA + 1)
    close(run(Sgld(batch, control_variate=True), field, step, 120, first=40)[0], exact / (1 - step * (NBETA + 1) / 4))
    noisy = run(Sgld(batch), field, step, 120, first=40)[0]
    # the noise of the step: eps, and eps^2 nb^2 / 4 times the variance 9 / 4 of a mean over four of forty without replacement
    inflation = 1 + step * NBETA**2 / 4 * (9 / 4) * (36 / 39)
    assert noisy.mean() == pytest.approx(exact * inflation / (1 - step * (NBETA + 1) / 4), rel=0.1)


def test_a_frozen_preconditioner_keeps_the_law() -> None:
    field = quadratic((0.1, 5.0))
    sampler = RmspropSgld(frozen_after=60, damping=0.3)
    found, _ = run(sampler, field, 4e-4, 500, first=400)
    assert found.mean() == pytest.approx(quadratic_coefficient((0.1, 5.0), NBETA, 1.0), rel=0.15)
    scales = sampler.preconditioner(torch.tensor([[4.0, 0.01]], dtype=torch.float64), 1000)
    assert float(scales.max()) == 1.0
    assert float(scales[0, 1] / scales[0, 0]) == pytest.approx(
        (0.3 * math.sqrt(2.005) + 2) / (0.3 * math.sqrt(2.005) + 0.1)
    )


def test_a_chain_that_diverges_is_frozen_where_it_last_was_finite() -> None:
    law, streams = target(quadratic(), chains=4), Streams(0, 4)
    state = Sgld().begin(law, streams)
    for number in range(400):
        state = Sgld().step(law, state, torch.tensor([10.0], dtype=torch.float64), streams, number)
    assert not bool(state.alive.any())
    assert bool(state.position.isfinite().all())
