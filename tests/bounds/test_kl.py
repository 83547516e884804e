"""The kl bound against the paper's formula, typed and solved independently."""

import math

import pytest
from tests.bounds.losses import COUNTS, DELTAS, real, zero_one
from tests.oracles import held_out as oracle

from heldout.bounds.kl import kl


@pytest.mark.parametrize(("errors", "n"), COUNTS)
@pytest.mark.parametrize("delta", DELTAS)
def test_zero_one_errors(errors: int, n: int, delta: float) -> None:
    value, _ = kl(zero_one(errors, n), log_delta=math.log(delta))
    assert value[0] == pytest.approx(oracle.kl(errors / n, n, delta), abs=1e-9)


@pytest.mark.parametrize("delta", DELTAS)
def test_real_losses(delta: float) -> None:
    losses = real(50)
    value, _ = kl(losses, log_delta=math.log(delta))
    assert value[0] == pytest.approx(oracle.kl(float(losses.mean()), 50, delta), abs=1e-9)
