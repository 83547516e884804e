"""Networks and data that people bring and that no formula's author had in mind: a number or a reason, never a failure."""

import warnings
from collections.abc import Callable

import pytest
import torch
from tests import cases
from torch import Tensor, nn

from heldout.catalog import units
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import Status


class Temperature(nn.Module):
    """A scalar parameter, shape ``[]``."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 3)
        self.temperature = nn.Parameter(torch.tensor(1.5))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x) * self.temperature
        return output


class Branching(nn.Module):
    """Looks at its data."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.layer(x) if x.sum() > 0 else self.layer(-x)
        return output


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))


def frozen() -> nn.Module:
    network = plain()
    network[0].requires_grad_(False)
    return network


def weight_norm() -> nn.Module:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(5, 4))
    return nn.Sequential(layer, nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3)).eval()


def subject(make: Callable[[], nn.Module], members: int = 1, examples: int = 40) -> Subject:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x, y = torch.randn(examples, 5), torch.arange(examples) % 3
        networks, initial = [make() for _ in range(members)], [make() for _ in range(members)]
    return Subject(networks, train=(x, y), test=(x.flip(0) + 1.0, y.flip(0)), initial=initial)


ODD: dict[str, Callable[[], Subject]] = {
    "scalar parameter": lambda: subject(Temperature),
    "scalar parameters": lambda: subject(Temperature, members=2),
    "branches on data": lambda: subject(Branching, members=2),
    "frozen layer": lambda: subject(frozen),
    "weight norm": lambda: subject(weight_norm, members=2),
    "double precision": lambda: subject(lambda: plain().double()),
    "half precision": lambda: subject(lambda: plain().bfloat16()),
    "one example": lambda: subject(plain, examples=1),
    "two examples": lambda: subject(plain, examples=2),
    "no hidden layer": lambda: subject(lambda: nn.Linear(5, 3)),
    "no bias": lambda: subject(lambda: nn.Linear(5, 3, bias=False)),
    "zero weights": lambda: subject(lambda: _zeroed(plain())),
    "regression": lambda: cases.regression().subject(),
}


def _zeroed(network: nn.Sequential) -> nn.Module:
    """Its last layer is zero, but for one bias that tells it from its initial copy."""
    with torch.no_grad():
        network.get_parameter("2.weight").zero_()
    return network


def failures(source: Subject) -> dict[str, str]:
    evidence = Evidence(source)
    bad = {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="this network cannot be vectorised")
        for name, unit in units("measure").items():
            reading = read_measure(unit, evidence)
            # Infinity is an honest answer to the logarithm of a layer of zeros; NaN is a fault.
            if Status.FAILED in reading.statuses or any("nan" in reason.split() for reason in reading.reasons):
                bad[name] = "; ".join(reading.reasons)
    return bad


@pytest.mark.parametrize("name", ODD)
def test_no_measure_fails(name: str) -> None:
    assert failures(ODD[name]()) == {}


def test_inference_mode_changes_nothing() -> None:
    case = cases.cnn()
    with torch.inference_mode():
        assert failures(case.subject()) == {}
