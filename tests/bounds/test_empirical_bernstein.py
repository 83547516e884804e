"""The empirical Bernstein bound against the paper's formula, typed and solved independently."""

import math

import pytest
from tests.bounds.losses import COUNTS, DELTAS, real, zero_one
from tests.oracles import held_out as oracle

from heldout.bounds.empirical_bernstein import empirical_bernstein


@pytest.mark.parametrize(("errors", "n"), COUNTS)
@pytest.mark.parametrize("delta", DELTAS)
def test_zero_one_errors(errors: int, n: int, delta: float) -> None:
    value, _ = empirical_bernstein(zero_one(errors, n), log_delta=math.log(delta))
    assert value[0] == pytest.approx(oracle.empirical_bernstein(zero_one(errors, n)[0], delta), abs=1e-9)


@pytest.mark.parametrize("delta", DELTAS)
def test_real_losses(delta: float) -> None:
    losses = real(50)
    value, _ = empirical_bernstein(losses, log_delta=math.log(delta))
    assert value[0] == pytest.approx(oracle.empirical_bernstein(losses[0], delta), abs=1e-9)


def test_one_example_says_nothing() -> None:
    assert empirical_bernstein(zero_one(0, 1), log_delta=-3.0)[0][0] == 1.0
