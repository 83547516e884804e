"""The kl inversions against mpmath, on both sides, at the ends of every range."""

import math
from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.inversions import DIGITS, kl_inverse
from tests.oracles.inversions import kl as exact_kl

from heldout.engine.numerics import binary_kl, kl, kl_inverse_lower, kl_inverse_upper
from heldout.records import Refusal

RISKS = [0.0, 1e-12, 1e-6, 0.02, 0.3, 0.999999, 1.0]
BUDGETS = [1e-12, 1e-9, 1e-6, 1e-3, 0.05, 1.0, 10.0, 40.0, 1e3, 1e6]
unit = st.floats(0.0, 1.0)
nats = st.floats(0.0, 1e6)


@pytest.mark.parametrize("risk", RISKS)
def test_inverses_are_outward_and_within_1e_12(risk: float) -> None:
    upper, lower = kl_inverse_upper(risk, BUDGETS), kl_inverse_lower(risk, BUDGETS)
    for i, budget in enumerate(BUDGETS):
        with mp.workdps(DIGITS):
            above = mp.mpf(float(upper[i])) - kl_inverse(risk, budget, "upper")
            below = kl_inverse(risk, budget, "lower") - mp.mpf(float(lower[i]))
        assert -1e-70 <= above <= 1e-12, (risk, budget)
        assert -1e-70 <= below <= 1e-12, (risk, budget)


def test_small_risks_keep_relative_precision() -> None:
    for risk, budget in [(1e-12, 1e-14), (1e-9, 1e-9), (1e-6, 1e-5)]:
        exact = float(kl_inverse(risk, budget, "lower"))
        assert exact * (1 - 1e-11) <= kl_inverse_lower(risk, budget) <= exact


@settings(max_examples=60, deadline=None)
@given(risk=unit, budget=nats)
def test_the_exact_divergence_at_the_returned_point_spends_the_budget(risk: float, budget: float) -> None:
    upper, lower = float(kl_inverse_upper(risk, budget)), float(kl_inverse_lower(risk, budget))
    with mp.workdps(400):
        assert upper == 1.0 or exact_kl(risk, mp.mpf(upper)) >= budget
        assert lower == 0.0 or exact_kl(risk, mp.mpf(lower)) >= budget


@settings(max_examples=200, deadline=None)
@given(risks=st.tuples(unit, unit), budgets=st.tuples(nats, nats))
def test_monotone_in_risk_and_budget(risks: tuple[float, float], budgets: tuple[float, float]) -> None:
    (q, q2), (c, c2) = sorted(risks), sorted(budgets)
    slack = 1e-12
    assert kl_inverse_upper(q, c) <= min(kl_inverse_upper(q2, c), kl_inverse_upper(q, c2)) + slack
    assert kl_inverse_lower(q, c2) - slack <= min(kl_inverse_lower(q2, c2), kl_inverse_lower(q, c))


def test_closed_forms_at_the_ends() -> None:
    c = np.array([1e-9, 0.1, 3.0, 50.0])
    np.testing.assert_allclose(kl_inverse_upper(0.0, c), -np.expm1(-c), rtol=1e-13)
    np.testing.assert_allclose(kl_inverse_lower(1.0, c), np.exp(-c), rtol=2e-12)
    assert np.all(kl_inverse_upper(1.0, c) == 1.0)
    assert np.all(kl_inverse_lower(0.0, c) == 0.0)
    assert np.all(kl_inverse_upper(RISKS, np.inf) == 1.0)
    assert np.all(kl_inverse_lower(RISKS, np.inf) == 0.0)
    assert np.array_equal(kl_inverse_upper(RISKS, 0.0), RISKS)
    assert np.array_equal(kl_inverse_lower(RISKS, 0.0), RISKS)


def test_broadcasting_and_shapes() -> None:
    grid = kl_inverse_upper(np.array([[0.1], [0.2]]), [0.01, 0.02, 0.03])
    assert grid.shape == (2, 3)
    assert grid[1, 2] == kl_inverse_upper(0.2, 0.03)
    assert kl_inverse_upper(np.empty((0, 2)), 0.1).shape == (0, 2)


def test_an_unconverged_search_returns_the_safe_end(monkeypatch: pytest.MonkeyPatch) -> None:
    exact_up, exact_low = kl_inverse_upper(0.3, 0.01), kl_inverse_lower(0.3, 0.01)
    monkeypatch.setattr(kl, "_NEWTON_STEPS", 1)
    assert kl_inverse_upper(0.3, 0.01) > exact_up + 0.01
    assert kl_inverse_lower(0.3, 0.01) < exact_low - 0.01


@pytest.mark.parametrize(
    ("q", "p"), [(0.3, 0.3 + 1e-9), (0.3, 0.7), (1e-12, 2e-12), (0.999999, 0.5), (0.0, 1e-20), (1, 0.5)]
)
def test_divergence_agrees_with_mpmath(q: float, p: float) -> None:
    with mp.workdps(DIGITS):
        assert binary_kl(q, p) == pytest.approx(float(exact_kl(q, mp.mpf(p))), rel=1e-13)


def test_divergence_at_its_edges() -> None:
    assert np.array_equal(binary_kl([0, 1, 0, 1, 0.5, 0.5], [0, 1, 1, 0, 0, 1]), [0, 0, *[math.inf] * 4])


def test_golden_values_of_the_literature_digest() -> None:
    # research/bounds.md section 10: item 4 (Maurer-kl) and item 1 (recursive PAC-Bayes notebook, recorded .38378037)
    assert kl_inverse_upper(0.289307, (1724 + math.log(2 * math.sqrt(30000) / 0.05)) / 30000) == pytest.approx(
        0.45516, abs=5e-6
    )
    sampled = kl_inverse_upper(0.3379667, math.log(100) / 30000)
    budget = (80.83292 + math.log(2 * math.sqrt(30000) / 0.025)) / 30000
    assert kl_inverse_upper(sampled, budget) == pytest.approx(0.38378037, abs=1e-7)
    # section 9: bits affordable at risk 3 %, target 10 %, n = 60000, delta = 0.05
    assert (60000 * binary_kl(0.03, 0.1) - math.log(20)) / math.log(2) == pytest.approx(3158, abs=1)
    # section 2.1: the price of few draws, in the two-sided form of the literature, ln(2/delta') at delta' = 0.01
    draws = np.array([100, 1000, 10000, 30000, 150000])
    expected = [0.102, 0.0379, 0.0249, 0.0228, 0.0212]
    assert np.all(np.abs(kl_inverse_upper(0.02, math.log(200) / draws) - expected) <= [5e-4, 1e-4, 1e-4, 1e-4, 1e-4])


@pytest.mark.parametrize("inverse", [kl_inverse_upper, kl_inverse_lower])
@pytest.mark.parametrize(("risk", "budget"), [(-0.1, 1), (1.1, 1), (math.nan, 1), (0.5, -1), (0.5, math.nan)])
def test_refusals(inverse: Callable[..., object], risk: float, budget: float) -> None:
    with pytest.raises(Refusal, match="budget" if risk == 0.5 else "risk"):
        inverse(risk, [budget, budget])
    with pytest.raises(Refusal, match="broadcast"):
        inverse([0.5, 0.5], [1.0, 1.0, 1.0])
    with pytest.raises(Refusal, match="p was 2"):
        binary_kl(0.5, 2.0)
