"""Logarithms of spectral norms over the margin, and the bounds with their constants, against NumPy."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from tests.oracles import outputs
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence import operators
from heldout.engine.evidence.geometry import Geometry
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.measures.spectral_bounds import log_spec_init, log_spec_orig
from heldout.records import Status

LOGS = ("prod-of-spec-over-margin", "spec-orig-main", "spec-init-main")
FULL = ("log-spec-orig", "log-spec-init")


def gamma_of(case: cases.Case) -> float:
    return float(np.quantile(outputs.margins(outputs.outputs(case.network, case.train[0]), case.train[1]), 0.1))


def full(spectral: np.ndarray, squares: np.ndarray, sizes: list[tuple[float, int]], side: float, radius: float,
         m: int, gamma: float, delta: float) -> float:  # fmt: skip
    """Equations (24)-(28): the constant, the product, the sum."""
    constant = 84 * radius * sum(k * np.sqrt(c) for k, c in sizes) + np.sqrt(np.log(4 * side**2 * len(sizes)))
    main = constant**2 * np.prod(spectral**2) * np.sum(squares / spectral**2)
    return float(np.log((main + np.log(m / delta)) / gamma**2))


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("case", [cases.generalizer, cases.cnn, cases.transformer])
def test_logarithms_are_of_the_readings_and_of_numpys(name: str, case: object) -> None:
    one = case()  # type: ignore[operator]
    evidence, gamma = Evidence(one.subject()), gamma_of(one)
    log, plain = read_measure(find(f"log-{name}"), evidence), read_measure(find(name), evidence)
    if gamma <= 0:
        assert log.statuses == plain.statuses == (Status.UNDEFINED,)
        return
    expected = oracle.measures(oracle.weight_matrices(one.network), oracle.weight_matrices(one.initial), gamma)[name]
    assert log.value.item() == pytest.approx(np.log(expected), abs=3e-5)
    assert log.value.item() == pytest.approx(np.log(plain.value.item()), abs=1e-9)


def test_full_forms_of_a_dense_network() -> None:
    case = cases.generalizer()
    evidence, gamma = Evidence(case.subject()), gamma_of(case)
    final, initial = oracle.weight_matrices(case.network), oracle.weight_matrices(case.initial)
    sizes = [(1.0, len(matrix)) for matrix in final.values()]
    radius = case.train[0].double().norm(dim=1).max().item()
    for name, start in zip(FULL, ({k: 0 * w for k, w in final.items()}, initial), strict=True):
        squares = oracle.frobenius({k: w - start[k] for k, w in final.items()}) ** 2
        expected = full(oracle.spectral(final), squares, sizes, 1.0, radius, 60, gamma, 0.01)
        assert read_measure(find(name), evidence).value.item() == pytest.approx(expected, abs=3e-5)


def test_full_forms_of_a_convolutional_network_use_each_layer_as_the_map_that_it_is() -> None:
    torch.manual_seed(3)
    first, second, last = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 3, 3), nn.Linear(3 * 2 * 2, 2)
    network = nn.Sequential(first, nn.ReLU(), nn.MaxPool2d(2), second, nn.Flatten(), last).double()
    x = torch.randn(12, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    y = network(x).argmax(1)
    evidence = Evidence(Subject(network, (x, y)))
    shapes = ((first, (1, 8, 8)), (second, (2, 4, 4)))
    spectral = np.array(
        [np.linalg.norm(oracle.operator(layer, shape), 2) for layer, shape in shapes]
        + [np.linalg.norm(last.weight.detach().numpy(), 2)]
    )
    squares = np.array([layer.weight.detach().square().sum().item() for layer in (first, second, last)])
    gamma, radius = evidence["margin_10th_percentile"].item(), x.flatten(1).norm(dim=1).max().item()
    expected = full(spectral, squares, [(3, 2), (3, 3), (1, 2)], 8.0, radius, 12, gamma, 0.01)
    assert read_measure(find("log-spec-orig"), evidence).value.item() == pytest.approx(expected, abs=1e-5)
    # the network's input size in place of the layer's own is another number
    spectral[1] = np.linalg.norm(oracle.operator(second, (2, 8, 8)), 2)
    other = full(spectral, squares, [(3, 2), (3, 3), (1, 2)], 8.0, radius, 12, gamma, 0.01)
    assert abs(other - expected) > 1e-3


@pytest.mark.parametrize("delta", [0.01, 0.2])
def test_the_failure_probability_shows_where_nothing_moved(delta: float) -> None:
    one, sizes = torch.tensor(2.0, dtype=torch.float64), Geometry((1.0,), (1,), (1,), 1.0)
    norms, zero = {"a": (one, torch.tensor(True))}, {"a": 0 * one}
    found = log_spec_init(norms, zero, sizes, one, 50, one, delta=delta).value.item()
    assert found == pytest.approx(np.log(np.log(50 / delta) / 4), rel=1e-12)
    found = log_spec_orig(norms, {"a": one.reshape(1, 1)}, sizes, one, 50, one, delta=delta).value.item()
    assert found == pytest.approx(full(*map(np.array, ([2.0], [4.0])), [(1.0, 1)], 1.0, 2.0, 50, 2.0, delta), rel=1e-12)


def test_nothing_overflows() -> None:
    layers: list[nn.Module] = []
    for _ in range(3):
        layers += [nn.Linear(4, 4, bias=False), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(4, 2, bias=False)).double()
    for parameter in network.parameters():
        parameter.data.copy_(1e60 * torch.eye(4, dtype=torch.float64)[: len(parameter)])
    x = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]).double()
    evidence = Evidence(Subject(network, (x, torch.tensor([0, 1]))))
    assert read_measure(find("prod-of-spec"), evidence).statuses == (Status.NOT_FINITE,)
    for name in ("log-prod-of-spec-over-margin", "log-prod-of-fro-over-margin"):
        assert read_measure(find(name), evidence).statuses == (Status.OK,)
    assert read_measure(find("log-prod-of-spec-over-margin"), evidence).value.item() == pytest.approx(0.0, abs=1e-9)
    assert read_measure(find("log-spec-orig-main"), evidence).value.item() == pytest.approx(np.log(14.0), abs=1e-9)
    assert read_measure(find("log-spec-orig"), evidence).statuses == (Status.OK,)


@pytest.mark.parametrize("name", [*(f"log-{name}" for name in LOGS), *FULL])
def test_a_negative_margin_has_no_logarithm(name: str) -> None:
    case = cases.generalizer()
    evidence = Evidence(case.subject(train=(case.train[0], (case.train[1] + 1) % cases.CLASSES)))
    reading = read_measure(find(name), evidence)
    assert reading.statuses == (Status.UNDEFINED,)
    assert "not positive" in reading.reasons[0]


def test_a_layer_of_zeros_has_none() -> None:
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 2)).double()
    network[0].weight.data.zero_()
    network[2].bias.data = torch.tensor([1.0, 0.0]).double()
    evidence = Evidence(Subject(network, (torch.ones(4, 2).double(), torch.zeros(4, dtype=torch.long))))
    for name in ("log-prod-of-spec-over-margin", "log-spec-orig-main", "log-spec-orig"):
        assert read_measure(find(name), evidence).statuses == (Status.UNDEFINED,), name


def test_what_did_not_settle_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "STEPS", 8)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 16 * 16, 2))
    x = torch.randn(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    reading = read_measure(find("log-spec-orig"), Evidence(Subject(network, (x, network(x).argmax(1)))))
    assert reading.statuses == (Status.NOT_CONVERGED,)
