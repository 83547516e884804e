"""Levels: shares that add up to one, values that only rise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.engine.numerics.levels import SHARES, nats, risen


def test_shares_add_up_to_one() -> None:
    levels = np.arange(-200_000.0, 200_001.0)
    assert np.exp(-nats(levels)).sum() == pytest.approx(1, abs=1e-5)
    assert nats(np.zeros(1))[0] == pytest.approx(math.log(SHARES))


@given(st.floats(1e-4, 1e30), st.floats(1.01, 4.0))
def test_a_value_rises_by_less_than_a_level(value: float, base: float) -> None:
    logs, price = risen(np.array([math.log(value)]), base)
    assert math.log(value) <= logs[0] + 1e-9
    assert logs[0] <= math.log(value) + math.log(base) * (1 + 1e-6) + 1e-9
    assert price[0] >= math.log(SHARES)


def test_zero_has_the_lowest_level() -> None:
    logs, price = risen(np.array([-np.inf]), 2.0)
    assert logs[0] == pytest.approx(-1000 * math.log(2))
    assert price[0] == pytest.approx(math.log(SHARES * 1001**2))
