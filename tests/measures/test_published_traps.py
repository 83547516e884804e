"""Traps of the published re-implementations, section 1.5 of the digest of measures: each is a number that must not come out."""

import inspect
import math

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from torch import nn

from heldout.catalog import measure, units
from heldout.catalog.declaring import MARK
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Direction, Status


def test_sigma_is_a_standard_deviation_and_not_a_variance() -> None:
    # Two weights, every margin 40 in the first input alone: error Phi(-40 / sigma), a tenth at sigma = 40 / 1.28155.
    layer = nn.Linear(2, 1, bias=False).double()
    layer.weight.data = torch.tensor([[40.0, 1.0]]).double()
    sign = torch.tensor([1.0, -1.0]).repeat(200).double()
    data = (torch.stack([sign, 0 * sign], dim=1), (sign > 0).long())
    evidence = Evidence(Subject(layer, data, loss="binary-cross-entropy"))
    reading = read_measure(units("measure")["pacbayes-sigma"], evidence)
    exact = 40 / 1.2815515655446004
    assert reading.value.item() == pytest.approx(exact, abs=4.5 * reading.standard_error.item())  # chance below 1e-5
    assert abs(math.sqrt(exact) - exact) > 5 * reading.standard_error.item()  # trap 1: the root
    flatness = read_measure(units("measure")["pacbayes-flatness"], evidence)
    assert flatness.value.item() == pytest.approx(reading.value.item() ** -2, rel=1e-12)


#: Every measure that divides by the margin.
MARGINAL = sorted(name for name, unit in units("measure").items() if "margin_10th_percentile" in unit.needs)


def test_the_measures_over_the_margin_are_all_there() -> None:
    assert len(MARGINAL) >= 14


@pytest.mark.parametrize("name", [name for name in MARGINAL if name != "margin-p10"])
def test_a_negative_margin_never_becomes_a_positive_one(name: str) -> None:
    case = cases.generalizer()
    wrong = Evidence(case.subject(train=(case.train[0], (case.train[1] + 1) % cases.CLASSES)))
    assert read_measure(units("measure")["margin-p10"], wrong).value.item() < 0
    assert read_measure(units("measure")[name], wrong).statuses == (Status.UNDEFINED,)


def test_a_convolutions_norm_is_at_the_size_of_its_own_input() -> None:
    torch.manual_seed(1)
    first, second, last = nn.Conv2d(1, 2, 3, stride=2), nn.Conv2d(2, 2, 3), nn.Linear(2, 2)
    network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), last).double()
    x = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()

    def product(*sizes: int) -> float:
        maps = [oracle.operator(first, (1, sizes[0], sizes[0])), oracle.operator(second, (2, sizes[1], sizes[1]))]
        return float(np.prod([np.linalg.norm(m, 2) ** 2 for m in [*maps, last.weight.detach().numpy()]]))

    evidence = Evidence(Subject(network, (x, torch.arange(6) % 2)))
    value = read_measure(units("measure")["prod-of-operator-norms"], evidence).value.item()
    assert value == pytest.approx(product(8, 3), rel=2e-5)
    assert value < 0.95 * product(8, 8)  # trap 4: the network's input size at every layer


def test_the_path_norm_of_a_batch_norm_network_is_that_of_the_folded_one() -> None:
    layer, batch_norm = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, eps=0.0)
    network = nn.Sequential(layer, batch_norm, nn.ReLU(), nn.Linear(1, 2, bias=False)).double().eval()
    layer.weight.data.fill_(3.0)
    batch_norm.running_mean.fill_(1.0)  # type: ignore[union-attr]
    batch_norm.running_var.fill_(4.0)  # type: ignore[union-attr]
    network[3].weight.data.fill_(5.0)
    data = (torch.tensor([[1.0], [2.0]]).double(), torch.tensor([0, 1]))
    # folded: weight 3/2, bias -1/2; two outputs of (9/4 + 1/4) 25
    value = read_measure(units("measure")["path-norm"], Evidence(Subject(network, data))).value.item()
    assert value == pytest.approx(125.0, rel=1e-9)


@pytest.mark.parametrize("name", ["path-norm", "log-prod-of-fro", "param-norm"])
def test_a_measure_by_another_name_has_its_value(name: str) -> None:
    known = units("measure")[name]

    def log_of_something_else(**needs: object) -> object:
        return known.function(**needs)

    log_of_something_else.__doc__ = known.function.__doc__
    log_of_something_else.__signature__ = inspect.signature(known.function)  # type: ignore[attr-defined]
    renamed = measure(source="the same under another name", direction=Direction.HIGHER_IS_WORSE)(log_of_something_else)
    evidence = Evidence(cases.mlp().subject())
    unit = getattr(renamed, MARK)
    assert unit.name == "log-of-something-else"
    assert read_measure(unit, evidence).value.item() == read_measure(known, evidence).value.item()


def test_no_reading_of_a_whole_audit_is_a_square_root_of_something_negative() -> None:
    reading = read_measure(units("measure")["neg-entropy"], Evidence(cases.mlp().subject()))
    assert reading.value.item() < 0  # trap 6: reported as it is, and no row is dropped
    assert reading.statuses == (Status.OK,)
