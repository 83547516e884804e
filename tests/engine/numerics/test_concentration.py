"""Closed-form bounds: their formulas in mpmath, their ordering, and the numbers of the literature digest."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.inversions import kl_inverse

from heldout.engine.numerics import (
    binomial_inverse_upper,
    empirical_bernstein_upper,
    hoeffding_upper,
    kl_chernoff_upper,
)
from heldout.records import Refusal

LOG_DELTA = math.log(0.05)


@pytest.mark.parametrize(("mean", "n", "log_delta"), [(0.0, 50, -3.0), (0.1, 10**6, -20.0), (0.37, 400, -0.7)])
def test_formulas_outward(mean: float, n: int, log_delta: float) -> None:
    with mp.workdps(60):
        q, nats = mp.mpf(mean), -mp.mpf(log_delta)
        variance = 0.75 * mean * (1 - mean)
        two = nats + mp.log(2)
        exact = {
            "hoeffding": q + mp.sqrt(nats / (2 * n)),
            "bernstein": q + mp.sqrt(2 * mp.mpf(variance) * two / n) + 7 * two / (3 * (n - 1)),
            "kl": kl_inverse(mean, nats / n, "upper"),
        }
        computed = {
            "hoeffding": hoeffding_upper(mean, n, log_delta),
            "bernstein": empirical_bernstein_upper(mean, variance, n, log_delta),
            "kl": kl_chernoff_upper(mean, n, log_delta),
        }
        for name, value in exact.items():
            assert 0 <= mp.mpf(float(computed[name])) - value <= 1e-12, name


@settings(max_examples=200, deadline=None)
@given(data=st.data(), n=st.integers(1, 10**7), log_delta=st.floats(-1e4, -0.7))
def test_ordering_and_monotonicity(data: st.DataObject, n: int, log_delta: float) -> None:
    k = data.draw(st.integers(0, n))
    mean = k / n
    slack = 2e-12
    exact, chernoff, crude = (
        binomial_inverse_upper(k, n, log_delta),
        kl_chernoff_upper(mean, n, log_delta),
        hoeffding_upper(mean, n, log_delta),
    )
    assert mean <= exact <= chernoff + slack
    assert chernoff <= crude + slack
    for bound in (kl_chernoff_upper, hoeffding_upper):
        value = bound(mean, n, log_delta)
        assert value <= bound(min(1.0, mean + 0.01), n, log_delta) + slack
        assert value <= bound(mean, n, 2 * log_delta) + slack
        assert bound(mean, 2 * n, log_delta) <= value + slack


def test_ends_and_clipping() -> None:
    assert hoeffding_upper(0.9, 3, -5.0) == 1.0
    assert hoeffding_upper(0.1, 3, -math.inf) == 1.0
    assert kl_chernoff_upper(0.1, 3, -math.inf) == 1.0
    assert empirical_bernstein_upper(0.1, 0.0, 3, -math.inf) == 1.0
    assert empirical_bernstein_upper(0.0, 0.0, 1, -1.0) == 1.0
    assert hoeffding_upper(np.zeros((2, 1)), [10, 20, 30], -1.0).shape == (2, 3)


def test_held_out_table_of_the_literature_digest() -> None:
    # research/bounds.md section 1 "Numbers": Hoeffding / empirical Bernstein / kl / Clopper-Pearson at delta = 0.05
    n = np.array([10000, 10000, 10000, 1000])
    k = np.array([100, 200, 1000, 20])
    risk = k / n
    variance = risk * (1 - risk) * n / (n - 1)
    half_unit = 5.1e-5
    np.testing.assert_allclose(hoeffding_upper(risk, n, LOG_DELTA), [0.0222, 0.0322, 0.1122, 0.0587], atol=half_unit)
    bernstein = empirical_bernstein_upper(risk, variance, n, LOG_DELTA)
    np.testing.assert_allclose(bernstein, [0.0136, 0.0247, 0.1090, 0.0407], atol=1e-4)
    np.testing.assert_allclose(kl_chernoff_upper(risk, n, LOG_DELTA), [0.0126, 0.0236, 0.1075, 0.0328], atol=half_unit)
    np.testing.assert_allclose(
        binomial_inverse_upper(k, n, LOG_DELTA), [0.0118, 0.0225, 0.1051, 0.0289], atol=half_unit
    )
    assert kl_chernoff_upper(0.0, 10000, LOG_DELTA) == pytest.approx(0.00030, abs=5e-6)
    assert binomial_inverse_upper(0, 10000, LOG_DELTA) == pytest.approx(0.00030, abs=5e-6)
    # the real-valued example, Beta(2, 38) losses with mean .0507 and the variance of that law
    assert hoeffding_upper(0.0507, 1000, LOG_DELTA) == pytest.approx(0.0894, abs=2e-4)
    assert kl_chernoff_upper(0.0507, 1000, LOG_DELTA) == pytest.approx(0.0695, abs=2e-4)
    law = 2 * 38 / (40**2 * 41)
    assert empirical_bernstein_upper(0.0507, law, 1000, LOG_DELTA) == pytest.approx(0.0623, abs=3e-4)


@pytest.mark.parametrize(
    ("mean", "n", "log_delta", "named"),
    [
        (-0.1, 9, -1, "mean"),
        (1.5, 9, -1, "mean"),
        (math.nan, 9, -1, "mean"),
        (0.1, 0, -1, "n was"),
        (0.1, 9, 0, "log_"),
    ],
)
def test_refusals(mean: float, n: int, log_delta: float, named: str) -> None:
    for bound in (hoeffding_upper, kl_chernoff_upper):
        with pytest.raises(Refusal, match=named):
            bound(mean, n, log_delta)
    with pytest.raises(Refusal, match=named):
        empirical_bernstein_upper(mean, 0.01, n, log_delta)


@pytest.mark.parametrize("variance", [-0.01, 0.26, math.nan])
def test_impossible_variances_are_refused(variance: float) -> None:
    with pytest.raises(Refusal, match=r"ddof=1"):
        empirical_bernstein_upper(0.5, variance, 100, -1.0)
