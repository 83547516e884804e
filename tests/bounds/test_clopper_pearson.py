"""Clopper-Pearson against the paper's formula, typed and solved independently."""

import math

import pytest
from tests.bounds.losses import COUNTS, DELTAS, real, zero_one
from tests.oracles import held_out as oracle

from heldout.bounds.clopper_pearson import clopper_pearson
from heldout.records import Refusal


@pytest.mark.parametrize(("errors", "n"), COUNTS)
@pytest.mark.parametrize("delta", DELTAS)
def test_zero_one_errors(errors: int, n: int, delta: float) -> None:
    value, _ = clopper_pearson(zero_one(errors, n), log_delta=math.log(delta))
    assert value[0] == pytest.approx(oracle.clopper_pearson(errors, n, delta), abs=1e-9)


def test_losses_between_zero_and_one_are_refused() -> None:
    with pytest.raises(Refusal, match="kl or the betting"):
        clopper_pearson(real(10), log_delta=-3.0)
