"""Transduction: constants against enumeration and quadrature, suprema by all splits, the complexity by exact suprema."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import hypergeom

from heldout.engine.numerics.transductive import (
    C0,
    LEVELS,
    count_term,
    exchange_factor,
    linear_complexity,
    linear_complexity_sampled,
    log_graph_labellings,
    margin_upper,
    pair_weight,
    unlabelled_errors_upper,
    width,
)
from heldout.records import Refusal

SIZES = [(1, 1), (3, 5), (5, 3), (40, 10), (100, 900), (500, 500)]


def test_constants_of_the_paper() -> None:
    assert 5.045 < C0 < 5.05  # "c0 < 5.05", says the paper
    assert pair_weight(100, 300) == pytest.approx(4 / 300)
    assert exchange_factor(300, 100) == pytest.approx(400 / (399.5 * (1 - 1 / 600)), rel=1e-12)
    assert exchange_factor(100, 300) == exchange_factor(300, 100)
    with pytest.raises(Refusal, match="at least one of each"):
        pair_weight(5, 0)


@pytest.mark.parametrize(("m", "u"), SIZES)
def test_the_count_is_the_mean_deviation_of_a_binomial_and_below_the_published_one(m: int, u: int) -> None:
    n, q = m + u, u / (m + u)
    log_chance = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(q) + (n - k) * math.log1p(-q)
        for k in range(n + 1)
    ]
    mean = sum(math.exp(chance) * abs(k - u) for k, chance in enumerate(log_chance))
    found = count_term(m, u)
    assert found == pytest.approx(pair_weight(m, u) / 2 * mean, rel=1e-8)
    assert found <= math.sqrt(pair_weight(m, u)) / 2 * (1 + 1e-8)
    assert count_term(m, u, published=True) == pytest.approx(C0 * pair_weight(m, u) * math.sqrt(min(m, u)))
    assert found < count_term(m, u, published=True) / 10


@pytest.mark.parametrize(("m", "u"), [(3, 5), (5, 3), (4, 4), (2, 6)])
def test_mean_and_tail_of_the_supremum_over_all_splits(m: int, u: int) -> None:
    # a few random loss vectors; every split and every vector of signs is enumerated
    losses = np.random.default_rng(m).random((4, m + u))
    q, p = 1 / m + 1 / u, m * u / (m + u) ** 2
    gaps = []
    for seen in itertools.combinations(range(m + u), m):
        rest = [i for i in range(m + u) if i not in seen]
        gaps.append((losses[:, rest].mean(1) - losses[:, list(seen)].mean(1)).max())
    signs = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=m + u)))
    chance = np.prod(np.where(signs == 0, 1 - 2 * p, p), axis=1)
    complexity = q * float(chance @ (signs @ losses.T).max(1))
    assert chance.sum() == pytest.approx(1)
    assert np.mean(gaps) <= complexity + count_term(m, u)
    for nats in (0.2, 0.7, 1.5, 3.0):
        assert np.mean(np.array(gaps) > np.mean(gaps) + width(m, u, nats)) <= math.exp(-nats)


def test_a_single_labelling_keeps_its_width() -> None:
    # P[gap > width] <= exp(-nats), exactly, for every number of errors
    m, u = 30, 20
    for nats in (0.5, 2.0, 5.0):
        for wrong in range(m + u + 1):
            k = np.arange(m + 1)
            gap = (wrong - k) / u - k / m
            assert hypergeom.pmf(k, m + u, wrong, m)[gap > width(m, u, nats)].sum() <= math.exp(-nats)


@pytest.mark.parametrize(("m", "u"), [(30, 70), (50, 50)])
def test_the_closed_form_of_a_linear_class_is_just_above_exact_suprema(m: int, u: int) -> None:
    data = np.random.default_rng(1).standard_normal((100, 6))
    mean, error = linear_complexity_sampled(data, m, u, draws=4000, seed=3)
    closed = float(linear_complexity(np.linalg.norm(data), m, u))
    assert mean - 5 * error < closed  # fails by chance with probability below 3e-7
    assert closed == pytest.approx(mean, rel=0.12)  # Jensen's loss in 6 dimensions is about 1/24
    few = linear_complexity_sampled(data, m, u, draws=100, seed=4)
    assert few[1] > 3 * error
    assert few[0] != mean


def test_the_best_margin_against_a_loop() -> None:
    draws = np.random.default_rng(0)
    margins, complexity, m, u = draws.normal(1.0, 1.0, (3, 400)), np.array([0.02, 0.3, 5.0]), 400, 600
    for published in (False, True):
        found, gammas, ratios = margin_upper(margins, complexity, m, u, -4.0, published=published)
        for member in range(3):
            values = []
            for j in LEVELS:
                ratio = 2 ** ((j - 6) / 2)
                share = (margins[member] <= complexity[member] / ratio).mean()
                nats = 4.0 + math.log((math.pi**2 / 3 - 1) * (abs(j) + 1) ** 2)
                tail = math.sqrt(exchange_factor(m, u) * pair_weight(m, u) / 2 * nats)
                values.append(share + ratio + count_term(m, u, published=published) + tail)
            assert found[member] == pytest.approx(min(values), rel=1e-8)
            assert found[member] >= min(values)
            assert ratios[member] * gammas[member] == pytest.approx(complexity[member])


def test_exact_errors_of_the_rest_by_enumeration_of_pools() -> None:
    m, u, delta = 12, 20, 0.07
    for seen in range(m + 1):
        possible = [
            total - seen for total in range(seen, seen + u + 1) if hypergeom.cdf(seen, m + u, total, m) >= delta
        ]
        assert float(unlabelled_errors_upper(seen, m, u, math.log(delta))) == pytest.approx(max(possible) / u)
    assert float(unlabelled_errors_upper(3, m, u, -500.0)) == 1.0


def test_labellings_of_a_line_and_of_hidden_layers() -> None:
    # planes through the origin label n points in general position in at most 2 sum_{i<d} C(n-1, i) ways (Cover 1965)
    for n, d in ((50, 3), (200, 5)):
        cover = math.log(2 * sum(math.comb(n - 1, i) for i in range(d)))
        assert cover <= log_graph_labellings(n, (d,), (), 2) < 2 * cover
    assert log_graph_labellings(100, (640, 16), (16,), 2) == pytest.approx(100 * math.log(2))
    assert log_graph_labellings(100, (640, 48), (16,), 3) == pytest.approx(100 * math.log(3))
    small = log_graph_labellings(2000, (4, 2), (2,), 2)
    by_hand = math.log(2) + 4 * math.log(2 * math.e * 4000 / 4) + math.log(2) + 6 * math.log(2 * math.e * 2000 * 2 / 6)
    assert small == pytest.approx(by_hand)
