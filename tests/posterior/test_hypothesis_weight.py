"""Weights of hypotheses on the quadratic model (test vectors T1 and T10): closed forms and an inverted characteristic function."""

import math

import numpy as np
import pytest
from tests.oracles import quadratic_forms
from tests.oracles.posteriors import PRECISIONS
from tests.posterior.test_free_energy import ladder as long_ladder

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.free_energy import free_energy
from heldout.posterior.hypothesis_weight import free_energy_multistate, hypothesis_weight, regret_bound

EXACT = 11.566155
LEVELS = np.array([1e-3, 1e-2, 1e-1])


def ladder(rungs: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A quarter of the draws."""
    t, excess = long_ladder(rungs)
    return t, [each[:, :250] for each in excess]


def error_of(influences: list[np.ndarray]) -> float:
    return math.sqrt(sum(monte_carlo_error(each) ** 2 for each in influences))


def test_the_oracle_is_the_digests() -> None:
    """Printed: -12.6, -7.48, -3.67 by counting draws; Chernoff's bound -11.15, -6.27, -2.60; the regret at most 12.84."""
    logs = [math.log(quadratic_forms.probability_below(PRECISIONS, e)) for e in LEVELS]
    assert logs == pytest.approx([-12.6, -7.48, -3.67], abs=0.1)
    assert [quadratic_forms.chernoff(PRECISIONS, e, 1e5) for e in LEVELS] == pytest.approx(
        [-11.15, -6.27, -2.60], abs=0.01
    )
    assert quadratic_forms.regret_bound(PRECISIONS, 1000.0) == pytest.approx(12.84, abs=0.1)


@pytest.mark.parametrize("rungs", [10, 16])
def test_the_free_energy_has_no_error_of_quadrature(rungs: int) -> None:
    """``1/2 sum ln(1 + n h) = 11.566155`` within 5 standard errors, which are smaller than those of the integral."""
    value, influences = free_energy_multistate(*ladder(rungs))
    assert abs(value - EXACT) < 5 * error_of(influences)
    assert error_of(influences) < 0.9 * error_of(free_energy(*ladder(rungs))[1])


def test_the_bound_on_the_regret() -> None:
    value, influences = regret_bound(*ladder(12))
    assert abs(value - quadratic_forms.regret_bound(PRECISIONS, 1000.0)) < 5 * error_of(influences) + 0.01
    assert value > EXACT
    assert 0 < error_of(influences) < 0.2


def test_weights_energies_and_running_coefficients() -> None:
    """Every number within 6 of its own standard errors."""
    t, excess = ladder(12)
    found = hypothesis_weight(t, excess, levels=LEVELS)
    assert found is not None
    exact = np.log([quadratic_forms.probability_below(PRECISIONS, e) for e in LEVELS])
    assert (np.abs(found.log_weight - exact) < 6 * found.log_weight_error).all()
    assert (found.log_weight_error < 0.4).all()
    h = np.array(PRECISIONS)
    energy = 0.5 * np.log1p(np.multiply.outer(t, h)).sum(1)
    assert (np.abs(found.free_energy - energy) < 6 * found.free_energy_error).all()
    running = 0.5 * (np.multiply.outer(t, h) / (1 + np.multiply.outer(t, h))).sum(1)
    assert (np.abs(found.running - running) < 6 * found.running_error).all()
    chernoff = [quadratic_forms.chernoff(PRECISIONS, e, 1000.0) for e in LEVELS]
    assert found.chernoff == pytest.approx(chernoff, abs=0.2)
    assert (found.chernoff > found.log_weight).all()


def test_unless_given_levels_are_the_draws_own_and_temperatures_between_rungs_help_the_bound() -> None:
    t, excess = ladder(8)
    found, coarse = hypothesis_weight(t, excess), hypothesis_weight(t, excess, between=1)
    assert found is not None
    assert coarse is not None
    assert len(found.levels) == 60
    assert (np.diff(found.log_weight) >= 0).all()
    assert found.log_weight[-1] == pytest.approx(0.0, abs=0.05)
    assert (found.chernoff <= coarse.chernoff + 1e-12).all()
    assert (found.chernoff < coarse.chernoff).any()


def test_the_influences_are_derivatives() -> None:
    t, excess = ladder(8)
    few = [each[:, :100] for each in excess]
    for unit in (free_energy_multistate, regret_bound):
        value, influences = unit(t, few)
        for rung in (0, 5):
            moved = list(few)
            moved[rung] = np.concatenate([few[rung].ravel(), few[rung][0, :1]])[None]
            difference = (unit(t, moved)[0] - value) * moved[rung].size
            # a draw more also counts for its rung, which at its expectation changes nothing
            shift = influences[rung][0, 0] - influences[rung].mean()
            assert difference == pytest.approx(shift, rel=0.1, abs=0.1), (unit, rung)


def test_rungs_too_far_apart_or_from_the_prior_give_no_number() -> None:
    t, excess = ladder(12)
    wide = t[[0, 11]], [excess[0][:, :50], excess[11][:, :50]]
    late = t[9:], excess[9:]
    for few in (wide, late):
        assert math.isnan(free_energy_multistate(*few)[0])
        assert math.isnan(regret_bound(*few)[0])
        assert hypothesis_weight(*few) is None
