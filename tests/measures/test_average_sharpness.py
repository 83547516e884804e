"""Average-case sharpness as a reading, against float64 noise and the trace that it tends to."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from tests.test_invariances import assert_unmoved
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject


def test_networks_under_float64_noise() -> None:
    case = cases.mlp()
    reading = read_measure(find("average-sharpness"), Evidence(case.subject()))
    base = oracle.mean_loss(oracle.noisy(case.network, torch.zeros_like, torch.Generator()), *case.train)

    def rise(moved: nn.Module) -> float:
        return oracle.mean_loss(moved, *case.train) - base

    mean, spread = oracle.mean_over_noise(case.network, lambda w: torch.full_like(w, 0.01), rise, draws=500)
    assert reading.value.item() == pytest.approx(mean, abs=5 * np.hypot(spread, reading.standard_error.item()))
    assert 0 < reading.standard_error.item() < 0.5 * abs(reading.value.item())


def test_a_quadratic_loss_rises_by_half_rho_squared_its_trace() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(100, 6))
    subject = Subject(
        nn.Linear(6, 1).double(), (torch.tensor(x), torch.tensor(rng.normal(size=100))), loss="squared-error"
    )
    reading = read_measure(find("average-sharpness"), Evidence(subject))
    expected = 0.01**2 / 2 * 2 * (x**2).sum() / 100 + 0.01**2
    assert reading.value.item() == pytest.approx(expected, abs=6 * reading.standard_error.item())
    assert reading.standard_error.item() < 0.3 * expected


def test_the_plain_one_moves_when_layers_are_rescaled() -> None:
    with pytest.raises(AssertionError, match="under layer-rescaling"):
        assert_unmoved(find("average-sharpness"), "layer-rescaling", 0)
