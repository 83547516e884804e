"""Information estimates against loops typed from the definition, their bias, and laws that are enumerated whole."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.numerics.conditional_information import (
    by_chance,
    coded,
    mean_root,
    miller_madow,
    plug_in,
    symmetric_information,
)
from heldout.records import Refusal


def information(pairs: list[tuple[int, int]]) -> float:
    """Sum of p ln(p / (q r)), in nats."""
    both, first, second = Counter(pairs), Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    n = len(pairs)
    return sum(c / n * math.log(c * n / (first[a] * second[b])) for (a, b), c in both.items())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), min_size=2, max_size=30))
def test_plug_in_and_its_correction(pairs: list[tuple[int, int]]) -> None:
    outcomes, choices = np.array(pairs).T
    assert plug_in(outcomes, choices) == pytest.approx(information(pairs), abs=1e-12)
    cells = [len({*column}) for column in (outcomes.tolist(), choices.tolist(), pairs)]
    expected = information(pairs) + (cells[0] + cells[1] - cells[2] - 1) / (2 * len(pairs))
    assert miller_madow(outcomes, choices) == pytest.approx(expected, abs=1e-12)


def test_the_correction_takes_most_of_the_bias() -> None:
    generator = np.random.default_rng(0)
    outcomes, choices = generator.integers(4, size=(20_000, 30)), generator.integers(2, size=(20_000, 30))
    raw, corrected = plug_in(outcomes, choices).mean(), miller_madow(outcomes, choices).mean()
    assert raw == pytest.approx(3 / 60, rel=0.15)  # (4 - 1)(2 - 1) / (2 D) and a second order, which stays
    assert abs(corrected) < 0.2 * raw  # standard errors are below 0.0004
    assert mean_root(plug_in(outcomes, choices)) == pytest.approx(0.30, abs=0.01)  # printed in the digest


def test_two_outcomes_show_half_of_that() -> None:
    generator = np.random.default_rng(1)
    draws = generator.integers(2, size=(2, 20_000, 30))
    assert mean_root(plug_in(*draws)) == pytest.approx(0.15, abs=0.01)  # printed in the digest
    many = generator.integers(2, size=(2, 2_000, 1000))
    assert mean_root(plug_in(*many)) == pytest.approx(0.025, abs=0.002)


def test_what_chance_shows_is_what_independent_coins_show() -> None:
    generator = np.random.default_rng(2)
    coins = generator.integers(2, size=(200, 40))
    told = by_chance(coins, coins, shuffles=50, generator=generator)
    assert told.shape == (50,)
    assert (told < 0.3 * mean_root(miller_madow(coins, coins))).all()
    independent = mean_root(miller_madow(generator.integers(2, size=(200, 40)), coins))
    assert abs(told.mean() - independent) < 0.06
    with pytest.raises(Refusal, match="shuffles was 0"):
        by_chance(coins, coins, shuffles=0, generator=generator)


def test_an_eraser_tells_the_share_that_it_leaves() -> None:
    # hidden examples are wrong with chance k / 8, seen ones never: enumerated whole, I = ln 2 k / 8
    for k in range(9):
        law = [(u if noise < k else 2, u) for u, noise in itertools.product((0, 1), range(8))]
        outcomes, choices = np.array(law).T
        assert plug_in(outcomes, choices) == pytest.approx(math.log(2) * k / 8, abs=1e-12)
        assert symmetric_information([0, 8 - k, k]) == pytest.approx(math.log(2) * k / 8, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(0, 9)] * 3).filter(any))
def test_symmetric_information_is_that_of_the_swapped_table(counts: tuple[int, int, int]) -> None:
    smaller, equal, larger = counts
    pairs = [(-1, 0)] * smaller + [(0, 0)] * equal + [(1, 0)] * larger
    pairs += [(-difference, 1 - coin) for difference, coin in pairs]
    assert symmetric_information(counts) == pytest.approx(information(pairs), abs=1e-12)


def test_roots_and_codes() -> None:
    assert mean_root([[0.02, 0.08], [-1.0, 0.5]]).tolist() == pytest.approx([0.3, 0.5])
    assert coded(np.array([[[3, 1], [0, 2], [3, 1]], [[5, 5], [5, 6], [4, 9]]])).tolist() == [[1, 0, 1], [1, 2, 0]]
