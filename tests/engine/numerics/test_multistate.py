"""Draws at several temperatures: energies of a gamma law, whose partition function is known."""

import numpy as np
import pytest

from heldout.engine.numerics.multistate import multistate

T = np.array([0.1, 1.0, 4.0, 16.0])
COUNTS = (300, 900, 500, 700)


def drawn(seed: int = 0) -> list[np.ndarray]:
    """``K`` is a gamma variable of shape 2 and scale ``1 / (1 + t)``: Z(t) is ``(1 + t)^-2``."""
    generator = np.random.default_rng(seed)
    return [generator.gamma(2.0, 1 / (1 + t), size=n) for t, n in zip(T, COUNTS, strict=True)]


def test_the_equations_are_solved() -> None:
    """Shares sum to the counts, and weights reproduce themselves."""
    state = multistate(T, drawn())
    assert state.settled
    assert state.shares.sum(0) == pytest.approx(COUNTS, rel=1e-8)
    assert state.shares.sum(1) == pytest.approx(1.0)
    f = [-state.log_mean(-t * state.energies)[0] for t in T]
    logs = np.log(np.array(COUNTS)) - np.multiply.outer(state.energies, T) + f
    again = -np.log(np.exp(logs).sum(1))
    assert np.ptp(again - state.log_weights) < 1e-7


def test_the_error_is_the_spread_over_repetitions() -> None:
    """And the mean over 100 repetitions is ``-2 ln 17`` within 5 of its errors."""
    values, errors = [], []
    for seed in range(100):
        state = multistate(T, drawn(seed))
        value, influences = state.log_mean(-16.0 * state.energies)
        values.append(value)
        errors.append(np.sqrt(sum(each.var(ddof=1) / each.size for each in influences)))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.35)
    assert abs(np.mean(values) + 2 * np.log(17)) < 5 * np.std(values) / np.sqrt(100)


def test_a_function_that_vanishes_at_every_draw_has_no_logarithm() -> None:
    value, influences = multistate(T, drawn()).log_mean(np.full(sum(COUNTS), -np.inf))
    assert value == -np.inf
    assert [each.shape for each in influences] == [(n,) for n in COUNTS]


def test_overlap_and_the_worth_for_the_prior_say_how_near_the_rungs_are() -> None:
    near, far = multistate(T, drawn()), multistate(T[[0, 3]], [drawn()[0], drawn()[3]])
    assert 0 < far.overlap < near.overlap < 1
    assert multistate(T[:1], drawn()[:1]).overlap == 1.0
    late = multistate(T[2:], drawn()[2:])
    assert late.prior_draws < 50 < 250 < near.prior_draws
