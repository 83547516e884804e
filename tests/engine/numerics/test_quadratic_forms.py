"""Tails of quadratic forms against SciPy's non-central chi-square, closed forms far beyond its reach, and simulation."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, ncx2

from heldout.engine.numerics import quadratic_forms
from heldout.engine.numerics.quadratic_forms import log_lower_tail
from heldout.records import Refusal


@pytest.mark.parametrize("degrees", [1, 2, 7, 100])
@pytest.mark.parametrize("centre", [0.0, 3.0, 50.0])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_equal_variances_are_a_non_central_chi_square(degrees: int, centre: float, scale: float) -> None:
    law = ncx2(degrees, centre) if centre else chi2(degrees)
    levels = np.array([law.ppf(q) for q in (1e-12, 1e-4, 0.3, 0.9, 0.9999)])
    offsets = np.zeros(degrees)
    offsets[-1] = centre * scale
    found = log_lower_tail(levels * scale, np.full(degrees, scale), offsets)
    assert found.settled.all()
    np.testing.assert_allclose(found.log_probability, law.logcdf(levels), rtol=1e-8, atol=1e-10)


def test_repeats_are_more_of_the_same() -> None:
    lam, off = np.array([1.0, 0.2, 0.03]), np.array([0.5, 0.1, 2.0])
    spread = log_lower_tail(0.7, np.repeat(lam, 3), np.concatenate([[o / 2, o / 4, o / 4] for o in off]))
    assert log_lower_tail(0.7, lam, off, repeats=3).log_probability == pytest.approx(
        float(spread.log_probability), rel=1e-10
    )


def test_far_below_where_probabilities_underflow() -> None:
    # k = 2j: P = e^-x sum_{i >= j} x^i / i!, x = t / 2
    j, t = 500, 1e-3
    x = t / 2
    expected = j * math.log(x) - x - math.lgamma(j + 1) + math.log1p(x / (j + 1) + x * x / (j + 1) / (j + 2))
    assert expected < -6000
    assert log_lower_tail(t, np.ones(2 * j), np.zeros(2 * j)).log_probability == pytest.approx(expected, rel=1e-12)


def test_two_unlike_variances_in_closed_form() -> None:
    # two exponentials with means 1 and 1/10
    t, a, b = 0.3, 1.0, 0.1
    expected = 1 - (a * math.exp(-t / a) - b * math.exp(-t / b)) / (a - b)
    found = log_lower_tail(t, np.array([a, a, b, b]) / 2, np.zeros(4))
    assert math.exp(float(found.log_probability)) == pytest.approx(expected, rel=1e-10)


def test_a_simulation_of_unlike_variances_and_offsets() -> None:
    generator = np.random.default_rng(0)
    lam, off = np.exp(generator.normal(0, 2, 30)), np.exp(generator.normal(-1, 2, 30))
    draws = 100_000
    sums = np.square(np.sqrt(lam) * generator.standard_normal((draws, 30)) + np.sqrt(off)).sum(1)
    for share in (0.01, 0.2, 0.6, 0.95):
        level = np.quantile(sums, share)
        found = math.exp(float(log_lower_tail(level, lam, off).log_probability))
        assert abs(found - share) < 5 * (share * (1 - share) / draws) ** 0.5  # 6e-7 for each share


def test_what_does_not_vary_shifts_the_level() -> None:
    lam = np.array([1.0, 0.0, 0.5])
    found = log_lower_tail(2.0, lam, np.array([0.3, 0.8, 0.0]))
    assert found.log_probability == pytest.approx(
        float(log_lower_tail(1.2, lam[[0, 2]], np.array([0.3, 0.0])).log_probability), rel=1e-9
    )
    assert log_lower_tail(0.8, lam, np.array([0.0, 0.8, 0.0])).log_probability == -np.inf


def test_leading_axes_and_numbers_that_are_none() -> None:
    lam = np.array([[0.5, 0.5], [np.nan, 1.0]])
    found = log_lower_tail(np.array([1.0, 1.0]), lam, np.zeros((2, 2))).log_probability
    assert found[0] == pytest.approx(math.log1p(-math.exp(-1)))
    assert np.isnan(found[1])


def test_an_integral_that_has_not_settled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quadratic_forms, "POINTS", 40)
    assert not log_lower_tail(1.0, [1.0], [0.0]).settled


def test_negative_variances_are_refused() -> None:
    with pytest.raises(Refusal, match=r"variances had -1; expected at least 0"):
        log_lower_tail(1.0, [-1.0], [0.0])
    with pytest.raises(Refusal, match=r"offsets had -2"):
        log_lower_tail(1.0, [1.0], [-2.0])
