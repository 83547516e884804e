"""Sample compression: the bound by hand, and its order against Pick-to-Learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from heldout.bounds.pick_to_learn import pick_to_learn
from heldout.bounds.sample_compression import sample_compression
from heldout.engine.evidence.picking import Picked


def test_by_hand() -> None:
    said = sample_compression(Picked(np.array([2, 30]), np.array([3, 0]), 30), log_delta=math.log(0.1))
    share = 0.1 * 6 / math.pi**2 / 9 / math.comb(30, 2)
    assert binom.cdf(3, 28, said.value[0]) == pytest.approx(share, rel=1e-8)
    assert said.value[1] == 1  # nothing is left to judge by
    assert said.empirical_risk.tolist() == [3 / 28, 0.0]


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 300), st.data())
def test_without_errors_preference_is_never_worse(n: int, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, n))
    log_delta = math.log(data.draw(st.floats(0.001, 0.5)))
    known = Picked(np.array([kept]), np.array([0]), n)
    assert pick_to_learn(known, log_delta=log_delta).value[0] <= sample_compression(known, log_delta=log_delta).value[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.integers(0, 19))
def test_it_rises_with_what_is_kept_and_with_errors(kept: int, errors: int) -> None:
    def value(k: int, e: int) -> float:
        return float(sample_compression(Picked(np.array([k]), np.array([e]), 100), log_delta=-2.0).value[0])

    assert value(kept, errors) < value(kept + 1, errors)
    assert value(kept, errors) < value(kept, errors + 1)
