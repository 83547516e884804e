"""Spectral norms, their products and stable ranks against NumPy, on networks and where they have no value."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from tests.oracles import outputs
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence import operators
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status

PLAIN = ("prod-of-spec", "log-prod-of-spec", "sum-of-spec", "stable-rank", "mean-stable-rank", "log-spectral-norm")
OVER_MARGIN = ("prod-of-spec-over-margin", "spec-orig-main", "spec-init-main", "sum-of-spec-over-margin")


@pytest.mark.parametrize("case", ["mlp", "cnn", "transformer"])
@pytest.mark.parametrize("name", PLAIN + OVER_MARGIN)
def test_readings_on_networks(case: str, name: str) -> None:
    members = [cases.ALL[case](seed=seed) for seed in (0, 1, 2)]
    reading = read_measure(find(name), Evidence(cases.together(members)))
    for member, one in enumerate(members):
        x, y = one.train
        gamma = np.quantile(outputs.margins(outputs.outputs(one.network, x), y), 0.1)
        expected = oracle.measures(oracle.weight_matrices(one.network), oracle.weight_matrices(one.initial), gamma)
        if name in OVER_MARGIN and gamma <= 0:
            assert reading.statuses[member] is Status.UNDEFINED
            assert "not positive" in reading.reasons[member]
        else:
            # a margin is a difference of float32 logits and enters squared
            assert reading.value[member] == pytest.approx(expected[name], rel=3e-5 if name in OVER_MARGIN else 1e-5)


@pytest.mark.parametrize("name", OVER_MARGIN)
def test_margins_divide_with_their_square_and_keep_their_sign(name: str) -> None:
    case = cases.generalizer()
    x, y = case.train
    gamma = np.quantile(outputs.margins(outputs.outputs(case.network, x), y), 0.1)
    assert gamma > 0
    expected = oracle.measures(oracle.weight_matrices(case.network), oracle.weight_matrices(case.initial), gamma)
    assert read_measure(find(name), Evidence(case.subject())).value.item() == pytest.approx(expected[name], rel=3e-5)
    wrong = read_measure(find(name), Evidence(case.subject(train=(x, (y + 1) % cases.CLASSES))))
    assert wrong.statuses == (Status.UNDEFINED,)
    assert wrong.rows()[0]["value"] is None


def test_only_the_distance_from_the_initialisation_needs_it() -> None:
    evidence = Evidence(cases.generalizer().subject(initial=None))
    assert read_measure(find("spec-init-main"), evidence).statuses == (Status.NOT_APPLICABLE,)
    assert read_measure(find("spec-orig-main"), evidence).statuses == (Status.OK,)


def test_product_of_operators_on_a_network() -> None:
    case = cases.cnn()
    reading = read_measure(find("prod-of-operator-norms"), Evidence(case.subject()))
    matrices, product = oracle.weight_matrices(case.network), 1.0
    for layer, channels in (("0.weight", 2), ("3.weight", 6)):
        convolution = nn.Conv2d(channels, len(matrices[layer]), 3, padding=1, bias=False).double()
        convolution.weight.data = torch.from_numpy(matrices.pop(layer)).reshape(convolution.weight.shape)
        product *= np.linalg.norm(oracle.operator(convolution, (channels, 6, 6)), 2) ** 2
    product *= oracle.spectral(matrices).item() ** 2
    assert reading.value.item() == pytest.approx(product, rel=3e-5)
    assert reading.value.item() != pytest.approx(
        read_measure(find("prod-of-spec"), Evidence(case.subject())).value.item()
    )


def test_product_of_operators_is_withdrawn_where_a_layer_did_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "STEPS", 8)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 16 * 16, 2))
    subject = Subject(network, train=(torch.randn(4, 1, 16, 16), torch.arange(4) % 2))
    reading = read_measure(find("prod-of-operator-norms"), Evidence(subject))
    assert reading.statuses == (Status.NOT_CONVERGED,)
    assert reading.rows()[0]["value"] is None


def test_a_layer_of_zeros_has_rank_zero() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    nn.init.eye_(network[0].weight)
    nn.init.zeros_(network[2].weight)
    evidence = Evidence(Subject(network, train=(torch.randn(4, 2), torch.arange(4) % 2)))
    assert read_measure(find("stable-rank"), evidence).value.item() == pytest.approx(2.0)
    assert read_measure(find("log-prod-of-spec"), evidence).statuses == (Status.UNDEFINED,)
