"""The betting bound against every gambler on a fine grid, bet by bet."""

import math

import numpy as np
import pytest
from tests.bounds.losses import real, zero_one
from tests.oracles import held_out as oracle

from heldout.bounds.betting import betting

GRID = 4000


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("delta", [0.05, 0.3])
@pytest.mark.parametrize("losses", [real(80), zero_one(6, 50)], ids=["real", "zero-one"])
def test_it_is_the_largest_mean_that_no_gambler_beat(losses: np.ndarray, delta: float, seed: int) -> None:
    value, steps = betting(losses, log_delta=math.log(delta), order_seed=seed)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(losses.shape[1])
    assert value[0] == pytest.approx(oracle.betting(losses[0][order], delta, GRID), abs=2 / GRID)
    assert f"seed {seed}" in steps[0][0]


def test_the_value_follows_the_order_and_the_order_its_seed() -> None:
    assert len({betting(real(80), log_delta=-3.0, order_seed=seed)[0][0] for seed in range(4)}) == 4
