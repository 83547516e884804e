"""Path-norm readings: quotients, logarithms, statuses; the sums themselves are held to an enumeration with their evidence."""

import math

import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_readings_of_networks(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in range(3)]
    evidence = Evidence(cases.together(members))
    norm, log, quotient = (
        read_measure(find(word), evidence) for word in ("path-norm", "log-path-norm", "path-norm-over-margin")
    )
    for index, case in enumerate(members):
        squared = oracle.folded(case.network)
        with torch.no_grad():
            for parameter in squared.parameters():
                parameter.square_()
            expected = squared(torch.ones_like(case.train[0][:1], dtype=torch.float64)).sum().item()
        assert norm.value[index] == pytest.approx(expected, rel=1e-5)
        assert log.value[index] == pytest.approx(math.log(expected), rel=1e-5)
        gamma = evidence["margin_10th_percentile"][index].item()
        if gamma > 0:
            assert quotient.value[index] == pytest.approx(expected / gamma**2, rel=1e-5)
        else:
            assert quotient.statuses[index] is Status.UNDEFINED


def test_a_negative_margin_is_never_squared() -> None:
    case = cases.mlp()
    x, y = case.train
    evidence = Evidence(case.subject(train=(x, (y + 1) % cases.CLASSES)))
    reading = read_measure(find("path-norm-over-margin"), evidence)
    assert reading.statuses == (Status.UNDEFINED,)
    assert "not positive" in reading.reasons[0]
    assert read_measure(find("path-norm"), evidence).ok


def test_the_quotient_does_not_see_the_scale_of_the_logits() -> None:
    case = cases.generalizer()
    scaled = nn.Sequential(*case.network)
    scaled[2] = nn.Linear(*reversed(case.network[2].weight.shape))
    scaled[2].weight.data, scaled[2].bias.data = 8 * case.network[2].weight.data, 8 * case.network[2].bias.data
    evidence = Evidence(case.subject(network=[case.network, scaled], initial=None))
    first, second = read_measure(find("path-norm-over-margin"), evidence).value
    assert first == pytest.approx(second, rel=1e-6)
    first, second = read_measure(find("path-norm"), evidence).value
    assert second == pytest.approx(64 * first, rel=1e-6)


def test_overflow_is_said() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    for parameter in network.parameters():
        parameter.data.fill_(1e90)
    x = 1e-80 * torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    reading = read_measure(find("path-norm"), Evidence(Subject(network, train=(x, torch.arange(6) % 2))))
    assert reading.statuses == (Status.NOT_FINITE,)
    assert reading.rows()[0]["value"] is None


@pytest.mark.parametrize("name", ["transformer", "lstm", "token_transformer", "residual", "tied"])
def test_other_networks_are_told_why(name: str) -> None:
    reading = read_measure(find("path-norm"), Evidence(cases.ALL[name]().subject()))
    assert reading.statuses == (Status.NOT_APPLICABLE,)
    assert reading.reasons[0].endswith("use the norms of the weight layers instead")


def test_the_logarithm_of_the_quotient() -> None:
    case = cases.generalizer()
    evidence = Evidence(case.subject())
    log, quotient = (read_measure(find(f"{word}path-norm-over-margin"), evidence) for word in ("log-", ""))
    assert log.value.item() == pytest.approx(math.log(quotient.value.item()), rel=1e-9)
    wrong = Evidence(case.subject(train=(case.train[0], (case.train[1] + 1) % cases.CLASSES)))
    assert read_measure(find("log-path-norm-over-margin"), wrong).statuses == (Status.UNDEFINED,)
