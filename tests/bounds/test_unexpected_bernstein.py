"""The bound is its inversion, row by row; the inversion has its own oracle in tests/engine/numerics."""

import math

import numpy as np
from tests.bounds.losses import real, zero_one

from heldout.bounds.unexpected_bernstein import unexpected_bernstein
from heldout.engine.numerics.second_moment import unexpected_bernstein_upper


def test_it_is_its_inversion() -> None:
    losses = np.concatenate([zero_one(4, 50), real(50)])
    values, steps = unexpected_bernstein(losses, log_delta=math.log(0.1))
    assert values.tolist() == [float(unexpected_bernstein_upper(row, math.log(0.1))) for row in losses]
    assert math.fsum(share for _, share in steps) == 1.0
