"""The participation ratio of a user's network, against plain loops."""

import math

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import modular
from torch import nn

from heldout.catalog import find
from heldout.datasets.modular_arithmetic import modular_arithmetic
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject

UNIT = find("inverse-participation-ratio")


def read(network: nn.Module, data: object) -> float:
    return float(read_measure(UNIT, Evidence(Subject(network, data))).value[0])


def test_pure_waves_noise_and_rows_of_zeros() -> None:
    (x, y), _ = modular_arithmetic(modulus=31)
    network = nn.Sequential(nn.Linear(62, 40, bias=False), nn.ReLU(), nn.Linear(40, 31))
    angles = 2 * math.pi * torch.arange(31) / 31
    waves = torch.stack([torch.cat([torch.cos(k * angles + 1), torch.cos(k * angles + 2)]) for k in range(1, 11)] * 4)
    first: nn.Linear = network[0]  # type: ignore[assignment]
    with torch.no_grad():
        first.weight.copy_(waves)
        assert read(network, (x, y)) == pytest.approx(1.0, abs=1e-6)
        first.weight[20:] = 0.0
        assert read(network, (x, y)) == pytest.approx(1.0, abs=1e-6)
        first.weight.copy_(torch.from_numpy(np.random.default_rng(0).standard_normal((40, 62))))
        assert 0.08 < read(network, (x, y)) < 0.16  # 2 / 16 is 0.125
        first.weight.zero_()
    assert read_measure(UNIT, Evidence(Subject(network, (x, y)))).reasons == ("every row of the first layer is zero",)


def test_it_is_the_mean_over_units_of_the_definition() -> None:
    case = cases.mlp()
    rows = next(case.network.parameters()).detach().double().numpy()
    expected = np.mean([modular.participation_of_row(row) for row in rows])
    assert float(read_measure(UNIT, Evidence(case.subject())).value[0]) == pytest.approx(expected, rel=1e-6)
