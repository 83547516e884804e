"""Occam for float32 weights: exact for small classes, empty for real ones, the choice among all networks paid for."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from heldout.bounds.occam import occam, tiny_class


def test_one_weight_against_the_binomial_itself() -> None:
    errors = (torch.arange(1000) < 40)[None]
    said = occam(errors, 1, log_delta=math.log(0.05))
    assert stats.binom.logcdf(40, 1000, said.value[0]) == pytest.approx(math.log(0.05) - 32 * math.log(2), rel=1e-6)
    assert said.empirical_risk[0] == 0.04


def test_real_networks_get_nothing_and_it_is_finite() -> None:
    said = occam(torch.zeros(2, 500), 10**6, log_delta=-3.0)
    assert said.value.tolist() == [1.0, 1.0]
    assert said.code["weights"] == 32e6


def test_its_problems_choose_the_luckiest_of_many() -> None:
    needs, risks = tiny_class(np.random.default_rng(0), 50)
    assert float(needs["errors"].mean()) < 0.32
    assert (occam(**needs, log_delta=math.log(0.1)).value >= risks).all()
