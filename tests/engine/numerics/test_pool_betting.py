"""Betting without replacement: a scanned grid, exact coverage over every ordered sample, the limit of a large pool."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from heldout.engine.numerics import betting_upper
from heldout.engine.numerics.pool_betting import pool_betting_upper
from heldout.records import Refusal

LOG_DELTA = math.log(0.05)


def log_wealth(losses: list[float], pool: int, mean: float, log_delta: float) -> float:
    """The largest log wealth against a mean, term after term; infinite where no pool has that mean."""
    wealth = best = total = 0.0
    centre, squares = 0.5, 0.25
    for step, loss in enumerate(losses):
        expected = (pool * mean - total) / (pool - step)
        if expected > 1:
            return math.inf
        expected = max(expected, 0.0)
        bet = math.sqrt(-2 * log_delta / (len(losses) * squares / (step + 1)))
        if expected < 1:
            bet = min(bet, 0.5 / (1 - expected))
        wealth += math.log1p(bet * (expected - loss))
        best = max(best, wealth)
        total += loss
        centre = (0.5 + total) / (step + 2)
        squares += (loss - centre) ** 2
    return best


@pytest.mark.parametrize("pool", [40, 50, 400])
@pytest.mark.parametrize("log_delta", [LOG_DELTA, math.log(0.5), -30.0])
def test_bound_lies_where_a_scan_finds_it(pool: int, log_delta: float) -> None:
    for losses in (np.random.default_rng(1).beta(1, 5, 40), (np.arange(40) % 7 == 3) * 1.0, np.zeros(40)):
        bound = float(pool_betting_upper(losses[None], pool, log_delta)[0])
        certain = (losses.sum() + pool - 40) / pool
        assert bound <= certain + 1e-12
        if bound < certain - 1e-9:
            assert log_wealth(losses.tolist(), pool, bound + 1e-9, log_delta) >= -log_delta
        assert log_wealth(losses.tolist(), pool, max(bound - 1e-9, 0.0), log_delta) < -log_delta or bound < 1e-8


@pytest.mark.parametrize("delta", [0.3, 0.1])
def test_failure_probability_over_every_ordered_sample_of_a_pool(delta: float) -> None:
    worst = 0.0
    for wrong in range(1, 11):
        orders = np.array(
            [order for order in itertools.product([0.0, 1.0], repeat=8) if sum(order) <= wrong and 8 - sum(order) <= 10 - wrong]
        )  # fmt: skip
        ones = orders.sum(1).astype(int)
        ways = np.array([math.perm(wrong, k) * math.perm(10 - wrong, 8 - k) for k in ones]) / math.perm(10, 8)
        assert ways.sum() == pytest.approx(1)
        missed = ways[pool_betting_upper(orders, 10, math.log(delta)) < wrong / 10].sum()
        assert missed <= delta
        worst = max(worst, missed)
    assert worst > delta / 20


def test_failure_probability_on_graded_losses() -> None:
    # 2,000 samples of 60 from 100: below the 1e-7 quantile of Bin(2000, delta) with that chance
    pool = np.random.default_rng(2).beta(0.3, 2, 100)
    samples = np.random.default_rng(3).permuted(np.tile(pool, (2000, 1)), axis=1)[:, :60]
    misses = int((pool_betting_upper(samples, 100, math.log(0.5)) < pool.mean()).sum())
    assert 5 <= misses <= binom.isf(1e-7, 2000, 0.5)


def test_a_large_pool_is_a_distribution_and_a_whole_one_is_known() -> None:
    losses = np.random.default_rng(4).beta(2, 8, (3, 80))
    independent = np.asarray(betting_upper(losses, LOG_DELTA))
    assert pool_betting_upper(losses, 10**9, LOG_DELTA) == pytest.approx(independent, abs=1e-6)
    assert pool_betting_upper(losses, 80, LOG_DELTA) == pytest.approx(losses.mean(1), abs=1e-9)
    assert (pool_betting_upper(losses, 80, LOG_DELTA) >= losses.mean(1)).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.integers(0, 50))
def test_never_below_the_sample_s_own_share_nor_above_what_is_certain(losses: list[float], more: int) -> None:
    pool = len(losses) + more
    bound = pool_betting_upper(np.array([losses]), pool, LOG_DELTA)[0]
    assert sum(losses) / pool - 1e-12 <= bound <= min((sum(losses) + more) / pool + 1e-12, 1.0)


def test_what_is_no_sample_of_a_pool_is_refused() -> None:
    with pytest.raises(Refusal, match="pool was 3"):
        pool_betting_upper(np.zeros((1, 4)), 3, LOG_DELTA)
    with pytest.raises(Refusal, match="shape"):
        pool_betting_upper(np.zeros(4), 8, LOG_DELTA)
    with pytest.raises(Refusal, match="losses was 2"):
        pool_betting_upper(np.full((1, 4), 2.0), 8, LOG_DELTA)
    with pytest.raises(Refusal, match="log_delta"):
        pool_betting_upper(np.zeros((1, 4)), 8, 0.3)
