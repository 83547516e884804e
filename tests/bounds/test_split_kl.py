"""The bound is its inversion, row by row; the inversion has its own oracle in tests/engine/numerics."""

import math

import numpy as np
from tests.bounds.losses import real, zero_one

from heldout.bounds.split_kl import split_kl
from heldout.engine.numerics.second_moment import split_kl_upper


def test_it_is_its_inversion() -> None:
    losses = np.concatenate([zero_one(4, 50), real(50)])
    values, steps = split_kl(losses, log_delta=math.log(0.1))
    assert values.tolist() == [float(split_kl_upper(row, math.log(0.1))) for row in losses]
    assert math.fsum(share for _, share in steps) == 1.0


def test_the_middle_is_heard() -> None:
    losses = real(50)
    values = [split_kl(losses, log_delta=-3.0, middle=middle)[0][0] for middle in (0.5, 0.2)]
    assert values[0] != values[1]
