"""Unexpected Bernstein and split-kl: their formulas in mpmath, their orderings, and what is refused."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.inversions import kl_inverse

from heldout.engine.numerics import kl_chernoff_upper
from heldout.engine.numerics.second_moment import split_kl_upper, unexpected_bernstein_upper
from heldout.records import Refusal

LOSSES = np.random.default_rng(0).beta(2, 20, size=400)
THREE = np.random.default_rng(1).choice([0.0, 0.5, 1.0], p=[0.05, 0.9, 0.05], size=2000)


@pytest.mark.parametrize("log_delta", [-0.7, -3.0, -40.0])
def test_unexpected_bernstein_outward(log_delta: float) -> None:
    with mp.workdps(50):
        x = [mp.mpf(float(value)) for value in LOSSES]
        n, nats = len(x), -mp.mpf(log_delta)
        k = max(1, int(mp.ceil(mp.log(mp.sqrt(n / nats) / 2, 2))))
        second = sum(value**2 for value in x) / n
        values = []
        for j in range(1, k + 1):
            gamma = mp.mpf(2) ** -j
            psi = -gamma - mp.log(1 - gamma)  # psi(-gamma) = -gamma - ln(1 - gamma)
            values.append(sum(x) / n + psi / gamma * second + (nats + mp.log(k)) / (gamma * n))
        assert 0 <= mp.mpf(float(unexpected_bernstein_upper(LOSSES, log_delta))) - min([*values, mp.mpf(1)]) <= 1e-12


@pytest.mark.parametrize("middle", [0.5, 0.2])
def test_split_kl_outward(middle: float) -> None:
    with mp.workdps(50):
        above = float(np.maximum(THREE - middle, 0).mean() / (1 - middle))
        below = float(np.maximum(middle - THREE, 0).mean() / middle)
        budget = (mp.log(2) + mp.mpf(3)) / len(THREE)
        exact = (
            middle
            + (1 - mp.mpf(middle)) * kl_inverse(above, budget, "upper")
            - middle * kl_inverse(below, budget, "lower")
        )
        assert -1e-15 <= mp.mpf(float(split_kl_upper(THREE, -3.0, middle=middle))) - exact <= 1e-12


def test_split_kl_is_the_tightest_where_losses_take_the_middle() -> None:
    split, plain = split_kl_upper(THREE, math.log(0.05)), kl_chernoff_upper(THREE.mean(), len(THREE), math.log(0.05))
    assert THREE.mean() < split < plain


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 300), share=st.floats(0, 1), log_delta=st.floats(-50, -0.01), more=st.floats(0.1, 5))
def test_they_lie_between_the_mean_and_one_and_grow_with_certainty(
    n: int, share: float, log_delta: float, more: float
) -> None:
    losses = np.random.default_rng(n).random(n) * share
    for bound in (unexpected_bernstein_upper, split_kl_upper):
        value = bound(losses, log_delta)
        assert losses.mean() <= value <= 1
    assert split_kl_upper(losses, log_delta) <= split_kl_upper(losses, log_delta - more) + 1e-12


def test_rows_are_bounded_alone() -> None:
    stack = np.stack([LOSSES, LOSSES**2])
    for bound in (unexpected_bernstein_upper, split_kl_upper):
        assert bound(stack, -3.0).tolist() == [float(bound(row, -3.0)) for row in stack]


@pytest.mark.parametrize("bound", [unexpected_bernstein_upper, split_kl_upper])
@pytest.mark.parametrize("wrong", [([0.5, 1.5], -3.0), ([float("nan")], -3.0), ([0.5], 0.1), ([], -3.0)])
def test_what_cannot_be_bounded_is_refused(bound, wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refusal, match="expected"):
        bound(*wrong)


def test_a_middle_at_the_end_is_refused() -> None:
    with pytest.raises(Refusal, match="middle"):
        split_kl_upper([0.5], -3.0, middle=1.0)
