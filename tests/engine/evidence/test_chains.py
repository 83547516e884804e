"""Chains: parameters, pieces and matrices of known networks; what is no chain is said."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

X, Y = torch.randn(12, 1, 6, 6, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3


def of(*layers: nn.Module) -> Evidence:
    torch.manual_seed(1)
    network = nn.Sequential(*layers).eval()
    return Evidence(Subject(network, (X, Y)))


def convolutional() -> tuple[nn.Module, ...]:
    first = (nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return (*first, nn.Conv2d(4, 2, 3), nn.LeakyReLU(), nn.Flatten(), nn.Linear(2, 3))


def test_parameters_pieces_and_sizes() -> None:
    links = of(*convolutional())["chain"]
    assert [link.parameters for link in links] == [40, 74, 9]
    assert [link.pieces for link in links] == [(144, 36 * 6), (2,), ()]
    assert [(link.inputs, link.outputs) for link in links] == [(36, 144), (36, 2), (2, 3)]


def test_every_stage_is_counted_on_its_own_and_those_after_the_last_layer_too() -> None:
    links = of(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3), nn.ReLU())["chain"]
    assert [link.pieces for link in links] == [(8 * 6, 8), (3,)]


class Sine(nn.ReLU):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(1e6 * x)


class Loop(nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(super().forward(x))


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((nn.Flatten(), nn.Linear(36, 4), Sine(), nn.Linear(4, 3)), "is a Sine"),
        ((nn.Flatten(), Loop(nn.Linear(36, 3))), "is a Loop"),
        ((nn.Flatten(), nn.Linear(36, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 3, bias=False)), "folded"),
    ],
)
def test_what_only_looks_like_a_chain_is_said(layers: tuple[nn.Module, ...], said: str) -> None:
    with pytest.raises(NotApplicable, match=said):
        of(*layers)["chain"]


def test_matrices_compute_what_the_network_computes() -> None:
    first = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 2, stride=2), nn.ReLU())
    evidence = of(*first, nn.Flatten(), nn.Linear(8, 3))
    found = evidence["layer_matrices"]
    values = found.inputs
    for place, matrix in enumerate(found.matrices):
        values = values @ matrix[0].T
        values = values.clamp(min=0) if place < len(found.matrices) - 1 else values
    torch.testing.assert_close(values, evidence["logits"][0].double(), rtol=1e-4, atol=1e-5)
    assert all(bool((reference == 0).all()) for reference in found.reference)


def test_the_initial_network_is_the_reference() -> None:
    case = cases.mlp()
    found = Evidence(case.subject())["layer_matrices"]
    first = next(m for m in case.initial.modules() if isinstance(m, nn.Linear))
    torch.testing.assert_close(found.reference[0][0, :-1, :-1].float(), first.weight.detach())
    torch.testing.assert_close(found.reference[0][0, :-1, -1].float(), first.bias.detach())


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((nn.Flatten(), nn.Linear(36, 4), nn.Tanh(), nn.Linear(4, 3)), "is a Tanh"),
        ((nn.MaxPool2d(3, stride=1), nn.Flatten(), nn.Linear(16, 3)), "pools"),
        ((nn.AvgPool2d(2), nn.Flatten(), nn.Linear(9, 3)), "pools"),
        ((nn.Flatten(), nn.Linear(36, 4), nn.LeakyReLU(2.0), nn.Linear(4, 3)), "stretches"),
    ],
)
def test_what_is_no_chain_is_said(layers: tuple[nn.Module, ...], said: str) -> None:
    with pytest.raises(NotApplicable, match=said):
        of(*layers)["layer_matrices"]


def test_a_network_with_a_forward_of_its_own_is_no_chain() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(36, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.layer(x.flatten(1)))

    with pytest.raises(NotApplicable, match="the network is a Skip"):
        Evidence(Subject(Skip(), (X, Y)))["chain"]
