"""Sharpness readings against float64 references and closed forms."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.ascent import AscentLosses
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.sharpness import asam_sharpness, expected_sharpness
from heldout.records import Status

NAMES = ["mlp", "cnn", "transformer"]


@pytest.mark.parametrize("name", NAMES)
def test_asam_on_networks(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in range(2)]
    reading = read_measure(find("asam-sharpness"), Evidence(cases.together(members)))
    for index, case in enumerate(members):
        x, y = case.train
        expected = oracle.ascended(
            case.network, lambda moved, x=x, y=y: nn.functional.cross_entropy(moved(x.double()), y), 0.5, 0.01
        )
        assert reading.value[index] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_expected_sharpness_on_networks(name: str) -> None:
    case = cases.ALL[name]()
    reading = read_measure(find("expected-sharpness"), Evidence(case.subject()))
    base = oracle.mean_loss(oracle.noisy(case.network, torch.zeros_like, torch.Generator()), *case.train)
    mean, spread = oracle.mean_over_noise(
        case.network, lambda w: 0.1 * w.abs(), lambda moved: oracle.mean_loss(moved, *case.train) - base, draws=1500
    )
    assert reading.value.item() == pytest.approx(mean, abs=4 * np.hypot(spread, reading.standard_error.item()))
    assert 0 < reading.standard_error.item() < 1.5 * abs(mean)  # three sweeps over sixty examples


def test_the_standard_error_is_the_spread_over_seeds() -> None:
    subject = cases.linear().subject()
    readings = [read_measure(find("expected-sharpness"), Evidence(subject, seed=seed)) for seed in range(40)]
    values = np.array([reading.value.item() for reading in readings])
    said = np.sqrt(np.mean([reading.standard_error.item() ** 2 for reading in readings]))
    # The spread of 40 normal numbers is within a factor 1.75 of their deviation but for a chance below 1e-6.
    assert 1 / 1.75 < said / values.std(ddof=1) < 1.75


def test_a_linear_regression_in_closed_form() -> None:
    # rho^2/2 tr(diag(w) H diag(w)) with H = 2 (X, 1)'(X, 1) / N: exact, the loss being quadratic.
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(200, 5)), rng.normal(size=200)
    layer = nn.Linear(5, 1).double()
    w = np.append(layer.weight.data.numpy()[0], layer.bias.item())
    padded = np.c_[x, np.ones(200)]
    expected = 0.1**2 / 2 * np.trace(w[:, None] * (2 * padded.T @ padded / 200) * w)
    evidence = Evidence(Subject(layer, train=(torch.tensor(x), torch.tensor(t)), loss="squared-error"))
    reading = read_measure(find("expected-sharpness"), evidence)
    assert reading.value.item() == pytest.approx(expected, abs=4 * reading.standard_error.item())
    assert reading.standard_error.item() < 0.3 * expected


def test_a_logistic_regression_at_a_small_radius() -> None:
    # (rho^2 / 2) sum_j w_j^2 mean_i p (1 - p) x_ij^2: at weights this small a tenth of them is a small radius.
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    layer = nn.Linear(4, 1, bias=False).double()
    layer.weight.data *= 0.5
    w = layer.weight.data.numpy()[0]
    p = 1 / (1 + np.exp(-x @ w))
    expected = 0.1**2 / 2 * (w**2 * ((p * (1 - p)) @ x**2 / 300)).sum()
    evidence = Evidence(Subject(layer, train=(torch.tensor(x), torch.tensor(y)), loss="binary-cross-entropy"))
    reading = read_measure(find("expected-sharpness"), evidence)
    assert reading.value.item() == pytest.approx(expected, abs=4 * reading.standard_error.item())
    assert reading.standard_error.item() < 0.3 * expected


def test_no_value_without_a_gradient() -> None:
    def of(length: float) -> torch.Tensor:
        return asam_sharpness(AscentLosses(torch.tensor(0.0), torch.tensor(length)))

    assert of(0.0).isnan()
    assert of(1e-30).item() == 0.0
    x = torch.cat([torch.eye(2), torch.eye(2)]).double()
    layer = nn.Linear(2, 1).double()
    layer.weight.data.fill_(0.0)
    layer.bias.data.fill_(0.5)
    evidence = Evidence(Subject(layer, train=(x, torch.full((4,), 0.5).double()), loss="squared-error"))
    reading = read_measure(find("asam-sharpness"), evidence)
    assert reading.statuses == (Status.UNDEFINED,)
    assert "exactly zero" in reading.reasons[0]


def test_one_pair_has_no_standard_error() -> None:
    rise = expected_sharpness(torch.tensor([2.0], dtype=torch.float64))
    assert rise.value.item() == 2.0
    assert rise.standard_error.isnan()
