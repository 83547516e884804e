"""Bounds for losses that depend on the past: formulas, order, and coverage where the conditional means wander."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.numerics import kl_inverse_upper
from heldout.engine.numerics.next_tokens import RATES, azuma_upper, chernoff_upper
from heldout.records import Refusal


def test_azuma_is_its_formula() -> None:
    assert azuma_upper(0.2, 500, math.log(0.01)) == pytest.approx(0.2 + math.sqrt(math.log(100) / 1000), rel=1e-12)
    assert azuma_upper(0.9, 3, math.log(0.01)) == 1.0


def test_chernoff_is_the_smallest_over_its_rates() -> None:
    spent = (math.log(len(RATES)) + 7.0) / 300
    wanted = min((1 - math.exp(-rate * 0.1 - spent)) / (1 - math.exp(-rate)) for rate in RATES)
    assert chernoff_upper(0.1, 300, -7.0) == pytest.approx(wanted, rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.integers(1, 10**6), st.floats(-1e4, -0.01))
def test_never_below_the_inverted_entropy_and_close_to_it(mean: float, steps: int, log_delta: float) -> None:
    """A fixed mean could be inverted without a grid; the grid costs ln 32 and a few per cent of the excess."""
    price = (math.log(len(RATES)) - log_delta) / steps
    exact, ours = float(kl_inverse_upper(mean, price)), float(chernoff_upper(mean, steps, log_delta))
    assert ours >= exact - 1e-9
    if 1e-4 < price < 1:
        assert ours - mean <= 1.1 * (exact - mean) + 1e-9


def test_coverage_where_the_expectation_follows_the_past() -> None:
    """2,000 runs at delta 0.2, true rates below: a binomial above 0.2 + 0.045 has probability below 1e-6."""
    generator, steps, runs = np.random.default_rng(1), 60, 2000
    loss, chance, total = np.zeros(runs), np.zeros(runs), np.zeros(runs)
    for _ in range(steps):
        p = np.where(loss > 0, 0.7, 0.1)
        loss = (generator.random(runs) < p).astype(float)
        chance, total = chance + p, total + loss
    for upper in (azuma_upper, chernoff_upper):
        below = np.asarray(upper(total / steps, steps, math.log(0.2))) < chance / steps
        assert below.mean() <= 0.245
    assert (np.asarray(azuma_upper(total / steps, steps, math.log(0.99))) < chance / steps).any()  # it can be below


def test_a_mean_outside_is_refused() -> None:
    with pytest.raises(Refusal, match="mean"):
        chernoff_upper(1.5, 10, -1.0)
