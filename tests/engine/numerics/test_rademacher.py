"""Rademacher complexities: enumeration of all signs, Massart above it, chaining by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.numerics.rademacher import dudley, enumerated, massart


def test_enumeration_against_a_loop() -> None:
    values = np.random.default_rng(0).normal(size=(5, 7))
    expected = np.mean([max(np.dot(s, row) for row in values) for s in itertools.product([1, -1], repeat=7)]) / 7
    assert enumerated(values) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), members=st.integers(2, 12), n=st.integers(1, 10))
def test_massart_is_never_below_the_exact_value(seed: int, members: int, n: int) -> None:
    values = np.random.default_rng(seed).normal(size=(members, n))
    assert enumerated(values) <= massart(float(np.linalg.norm(values, axis=1).max()), members, n) + 1e-12


def test_all_signs_are_followed_by_the_class_of_all_signs() -> None:
    values = np.array(list(itertools.product([1.0, -1.0], repeat=6)))
    assert enumerated(values) == 1.0


def test_chaining_of_a_constant_covering_number() -> None:
    # ln N = 4 everywhere: inf 4 a + (12/sqrt n) 2 (1 - a), at a = 0 for large n and at a = 1 for small n
    assert dudley(lambda u: 4.0, 10_000) == pytest.approx(24 / 100, rel=1e-3)
    assert dudley(lambda u: 4.0, 9) == pytest.approx(4.0, rel=1e-6)
    least = min(4 * a + 0.012 * math.log(1 / a) for a in np.geomspace(1e-6, 1, 60))
    assert dudley(lambda u: 1 / u**2, 10**6) == pytest.approx(least, rel=1e-6)
