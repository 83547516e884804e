"""The binomial inversions against a log-domain sum in mpmath, deep below the underflow of ordinary tails."""

import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom
from tests.oracles.inversions import DIGITS, log_binomial_cdf

from heldout.engine.numerics import binomial, binomial_inverse_lower, binomial_inverse_upper, kl_chernoff_upper
from heldout.records import Refusal

CASES = [(0, 100), (1, 2), (1, 100), (99, 100), (20, 1000), (50, 100), (598, 600), (3000, 60000), (20, 10**9)]
LOG_DELTAS = [-1e-3, -0.69, -0.7, -3.0, -20.0, -700.0, -800.0, -7000.0, -1e6]


@pytest.mark.parametrize(("errors", "n"), CASES)
def test_inverses_are_outward_and_within_1e_12(errors: int, n: int) -> None:
    upper = binomial_inverse_upper(errors, n, LOG_DELTAS)
    lower = binomial_inverse_lower(n - errors, n, LOG_DELTAS)
    for i, log_delta in enumerate(LOG_DELTAS):
        with mp.workdps(DIGITS):
            u, v = mp.mpf(float(upper[i])), 1 - mp.mpf(float(lower[i]))  # the mirror image of the same tail
            for limit in (u, v):
                if limit < 1:
                    assert log_binomial_cdf(errors, n, limit) <= log_delta, (errors, n, log_delta)
                assert log_binomial_cdf(errors, n, limit - mp.mpf(10) ** -12) >= log_delta, (errors, n, log_delta)
            if log_delta < -0.7 and u < 0.1:  # small limits are precise relative to their own size
                assert log_binomial_cdf(errors, n, u * (1 - mp.mpf(10) ** -12)) >= log_delta


def test_agrees_with_the_beta_quantile_where_that_works() -> None:
    k, n = np.meshgrid([0, 1, 5, 40, 99], [100, 1000, 20000])
    for delta in (0.6, 0.3, 0.05, 1e-6, 1e-12):
        np.testing.assert_allclose(
            binomial_inverse_upper(k, n, math.log(delta)), beta.isf(delta, k + 1, n - k), rtol=1e-9
        )
        expected = np.where(k == 0, 0, beta.ppf(delta, np.maximum(k, 1), n - k + 1))
        np.testing.assert_allclose(binomial_inverse_lower(k, n, math.log(delta)), expected, rtol=1e-9)


def test_ends() -> None:
    assert binomial_inverse_upper(7, 7, -3.0) == 1.0
    assert binomial_inverse_lower(0, 7, -3.0) == 0.0
    assert binomial_inverse_upper(3, 7, -math.inf) == 1.0
    assert binomial_inverse_lower(3, 7, -math.inf) == 0.0
    assert binomial_inverse_upper(1, 2, -1e6) == 1.0
    assert binomial_inverse_upper(np.array([[0], [1]]), [10, 20], -1.0).shape == (2, 2)
    assert binomial_inverse_upper(np.empty(0), 10, -1.0).shape == (0,)


@pytest.mark.parametrize("delta", [0.4, 0.05, 1e-3])
def test_the_limit_fails_exactly_delta_of_the_time_where_it_is_tight(delta: float) -> None:
    n = 30
    limits = binomial_inverse_upper(np.arange(n + 1), n, math.log(delta))
    for k in range(n):
        truth = limits[k] * (1 + 1e-12)  # just missed by k errors and fewer
        failure = binom.pmf(np.arange(n + 1), n, truth)[limits < truth].sum()
        assert failure <= delta
        assert failure == pytest.approx(delta, rel=1e-7)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), n=st.integers(2, 10**6), log_delta=st.floats(-1e5, -0.7))
def test_tighter_than_kl_chernoff_and_monotone(data: st.DataObject, n: int, log_delta: float) -> None:
    k = data.draw(st.integers(0, n - 1))
    limit = binomial_inverse_upper(k, n, log_delta)
    slack = 2e-12
    assert k / n <= limit <= kl_chernoff_upper(k / n, n, log_delta) + slack
    assert limit <= binomial_inverse_upper(k + 1, n, log_delta) + slack
    assert limit <= binomial_inverse_upper(k, n, 1.5 * log_delta) + slack
    assert binomial_inverse_upper(k, n + 1, log_delta) <= limit + slack
    assert binomial_inverse_lower(n - k, n, log_delta) == pytest.approx(1 - limit, abs=slack)


def test_an_unconverged_search_returns_the_kl_chernoff_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binomial, "_NEWTON_STEPS", 1)
    assert binomial_inverse_upper(20, 1000, -3.0) == pytest.approx(kl_chernoff_upper(0.02, 1000, -3.0), abs=1e-12)
    monkeypatch.undo()
    monkeypatch.setattr(binomial, "_TERMS", 1)  # one block of 64 terms does not settle a sum near the mean
    assert binomial_inverse_upper(5000, 10000, -1.0) == pytest.approx(kl_chernoff_upper(0.5, 10000, -1.0), abs=1e-12)


def test_occam_table_of_the_literature_digest() -> None:
    # research/bounds.md section 3, n = 60000, delta = 0.05, overhead 2 log2(l): kl and exact binomial columns; the
    # underflowing distribution function gave .034 in the fourth row
    risk = np.array([0.05, 0.03, 0.02, 0.01, 0.01, 0.001])
    bits = np.array([2000, 4000, 6000, 10000, 300, 300])
    log_delta = math.log(0.05) - (bits + 2 * np.log2(bits)) * math.log(2)
    n = 60000
    exact = binomial_inverse_upper(np.rint(risk * n), n, log_delta)
    np.testing.assert_allclose(exact, [0.1113, 0.1124, 0.1199, 0.1426, 0.0210, 0.0065], atol=5.1e-5)
    chernoff = kl_chernoff_upper(risk, n, log_delta)
    np.testing.assert_allclose(chernoff, [0.1114, 0.1125, 0.1200, 0.1427, 0.0211, 0.0066], atol=5.1e-5)


@pytest.mark.parametrize("inverse", [binomial_inverse_upper, binomial_inverse_lower])
@pytest.mark.parametrize(
    ("errors", "n", "log_delta", "named"),
    [
        (-1, 10, -3, "errors"), (11, 10, -3, "errors"), (0.29 * 100, 100, -3, "errors"), (math.nan, 10, -3, "errors"),
        (0, 0, -3, "n was 0"), (1, 2.5, -3, "n was 2.5"), (1, math.inf, -3, "n was inf"), (1, 2, 0, "log_delta"),
        (1, 2, 0.05, "log_delta"), (1, 2, math.nan, "log_delta"),
    ],
)  # fmt: skip
def test_refusals(inverse: Callable[..., object], errors: float, n: float, log_delta: float, named: str) -> None:
    with pytest.raises(Refusal, match=named):
        inverse([errors], n, log_delta)


def test_faults_are_refused_together() -> None:
    with pytest.raises(Refusal, match=r"2 faults at once.*errors was 11 and 1 more.*log_delta was 1"):
        binomial_inverse_upper([11, 12, 3], 10, 1.0)
