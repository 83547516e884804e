"""Capacities: exact counts of labellings of small classes, published numbers, orderings, the log domain."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.numerics.capacity import (
    dimension,
    fat_shattering_linear,
    log_piecewise_linear,
    log_sauer,
    log_sign_vectors,
    relative_upper,
    vapnik_upper,
)

LOG_DELTA = math.log(0.05)


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 200), d=st.integers(0, 200))
def test_sauer_s_sum_is_the_sum_of_binomials(m: int, d: int) -> None:
    exact = math.log(sum(math.comb(m, i) for i in range(min(d, m) + 1)))
    assert exact <= log_sauer(m, d) * (1 + 1e-15) + 1e-12
    assert log_sauer(m, d) == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_it_stays_finite_where_the_sum_overflows() -> None:
    assert log_sauer(10**6, 10**5) == pytest.approx(325079, rel=0.01)  # m H(d/m): 10^6 x 0.325


def test_published_widths_at_sixty_thousand() -> None:
    # digest, section 6: d = 100, 1000, 5000 gives .33, .88, 1.67 by (2 e n / d)^d
    for d, width in ((100, 0.33), (1000, 0.88), (5000, 1.67)):
        found = float(vapnik_upper(0.0, d * math.log(2 * math.e * 60000 / d), 60000, LOG_DELTA))
        assert found == pytest.approx(width, abs=0.005)


def labellings(weights: np.ndarray, x: np.ndarray) -> int:
    """Labellings of the rows of x that these linear classifiers with a bias give: a lower bound on the growth function."""
    scores = np.concatenate([x, np.ones((len(x), 1))], axis=1) @ weights
    return len(np.unique(scores > 0, axis=1).T)


@pytest.mark.parametrize(("dimensions", "m"), [(1, 6), (2, 6), (2, 8)])
def test_linear_classifiers_against_cover_s_count(dimensions: int, m: int) -> None:
    draws = np.random.default_rng(0)
    x = draws.normal(size=(m, dimensions))
    found = labellings(draws.normal(size=(dimensions + 1, 200_000)), x)
    cover = 2 * sum(math.comb(m - 1, i) for i in range(dimensions + 1))  # Cover 1965, exact in general position
    assert found <= cover
    assert found > 0.9 * cover
    # a network of two scores has the same labellings and more parameters
    assert math.log(cover) <= log_piecewise_linear(m, [2 * (dimensions + 1)], [()], 2)
    assert math.log(cover) <= log_piecewise_linear(m, [dimensions + 1], [()], 2)


def test_a_small_relu_network_never_has_more_labellings_than_counted() -> None:
    draws = np.random.default_rng(1)
    x = np.linspace(-1, 1, 7)[:, None]
    first, bias, last = draws.normal(size=(3, 200_000, 2))
    scores = (np.maximum(x[:, None] * first[None] + bias[None], 0) * last[None]).sum(-1) + draws.normal(size=200_000)
    found = len(np.unique(scores > 0, axis=1).T)
    assert 40 < found <= math.exp(log_piecewise_linear(7, [4, 3], [(2,), ()], 2))


def test_sign_vectors_of_lines_on_a_line() -> None:
    # p polynomials of degree 1 in one variable: p breaks, p + 1 regions, and the breaks themselves
    for p in range(1, 30):
        assert log_sign_vectors(p, 1, 1) >= min(math.log(p + 1), p * math.log(2)) - 1e-12


@settings(max_examples=50, deadline=None)
@given(m=st.integers(1, 5000), w=st.integers(1, 300), k=st.integers(1, 50), c=st.integers(2, 20))
def test_more_of_anything_never_labels_less_and_never_more_than_all(m: int, w: int, k: int, c: int) -> None:
    base = log_piecewise_linear(m, [w, k * c], [(k,), ()], c)
    assert 0 <= base <= m * math.log(c) + 1e-9
    assert base <= log_piecewise_linear(m + 1, [w, k * c], [(k,), ()], c) + 1e-9
    assert base <= log_piecewise_linear(m, [w, k * c], [(k,), ()], c + 1) + 1e-9


def test_dimensions_enclose_shattering() -> None:
    assert dimension(lambda m: log_sauer(m, 7)) == 7
    planes = dimension(lambda m: log_piecewise_linear(m, [3], [()], 2))
    assert 3 <= planes < 30
    three = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))[:3]
    assert labellings(np.random.default_rng(0).normal(size=(3, 20_000)), three) == 8  # lines shatter three points


@settings(max_examples=50, deadline=None)
@given(r=st.floats(0, 1), growth=st.floats(0, 1e4), n=st.integers(10, 10**6))
def test_relative_deviations_solve_their_inequality(r: float, growth: float, n: int) -> None:
    bound = float(relative_upper(r, growth, n, LOG_DELTA))
    a = 4 / n * (math.log(4) + growth - LOG_DELTA)
    assert (bound - r) / math.sqrt(bound) == pytest.approx(math.sqrt(a), rel=1e-6)
    assert bound >= float(relative_upper(0.0, growth, n, LOG_DELTA)) - 1e-12


def test_fat_shattering() -> None:
    assert fat_shattering_linear(0.1, 2.0, 3.0) == pytest.approx(3600)
