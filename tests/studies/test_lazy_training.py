"""Lazy training: the scaled network, statistics of a table made by hand, and what the smoke run shows."""

import numpy as np
import pandas as pd
import pytest
import torch

import heldout
from heldout.studies import lazy_training as study


def test_the_network_is_nothing_at_first_and_scales() -> None:
    torch.manual_seed(0)
    network = study.Scaled(4, 6, 5.0)
    x = torch.randn(7, 4)
    assert float(network(x).detach().abs().max()) < 1e-6
    with torch.no_grad():
        network.second.add_(1.0)
        one = network(x)
        network.scale.mul_(2)
    assert torch.allclose(network(x), 2 * one)


def test_statistics_of_a_table_made_by_hand() -> None:
    table = pd.DataFrame({
        "member": [0] * 4, "scale": [0.1, 1.0, 10.0, 100.0], "movement": [0.5, 0.5, 0.05, 0.005],
        "test_error": [0.1, 0.1, 0.2, 0.3], "flipped": [0.3, 0.2, 0.1, 0.01],
    })  # fmt: skip
    assert study.exponent(table) == pytest.approx([-1.0])
    assert study.exponent_of_small_scales(table) == pytest.approx([0.0])
    assert study.lazy_error(table) == pytest.approx([np.log(3)])
    assert study.flips(table) == [0.01]
    assert study.flips_of_small_scale(table) == [0.3]


def test_the_smoke_run_moves_less_and_flips_less_at_large_scales() -> None:
    verdicts = [claim["verdict"] for claim in heldout.study("lazy-training").claims]
    assert verdicts[0] == "reproduced"
    assert verdicts[2] == "reproduced"
