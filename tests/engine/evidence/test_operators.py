"""Operator norms against the matrix that a layer is, made from its answers to all unit vectors."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import norms as oracle
from torch import nn

from heldout.engine.evidence import operators
from heldout.engine.evidence.operators import convolution_norm, input_shapes
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Subject

LAYERS = [
    (nn.Conv2d, (4, 6, 3), {}, (4, 7, 7)),
    (nn.Conv2d, (4, 6, 3), {"padding": 1}, (4, 7, 5)),
    (nn.Conv2d, (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (4, 8, 8)),
    (nn.Conv2d, (4, 6, 3), {"dilation": 2, "bias": False}, (4, 7, 7)),
    (nn.Conv2d, (4, 6, 3), {"padding": 1, "padding_mode": "circular"}, (4, 6, 6)),
    (nn.Conv2d, (4, 6, 3), {"padding": 2, "padding_mode": "reflect"}, (4, 6, 6)),
    (nn.Conv2d, (1, 1, 3), {}, (1, 3, 3)),  # an operator of rank one: the iteration ends after one step
    (nn.Conv1d, (3, 5, 4), {"stride": 3, "padding": 2}, (3, 17)),
    (nn.Conv3d, (2, 3, 2), {}, (2, 4, 3, 4)),
    (nn.ConvTranspose2d, (4, 6, 3), {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2}, (4, 4, 4)),
]


@pytest.mark.parametrize(("kind", "sizes", "options", "shape"), LAYERS)
def test_geometries(kind: type[nn.Module], sizes: tuple[int, ...], options: dict, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    members = [kind(*sizes, **options) for _ in range(3)]
    weights = torch.stack([member.weight.detach() for member in members])
    start = torch.randn(shape, dtype=torch.float64)
    for memory in (1, 2**28):
        found = convolution_norm(members[0], weights, start, memory=memory)
        assert found.converged.all()
        for norm, member in zip(found.norm, members, strict=True):
            expected = np.linalg.norm(oracle.operator(member.double(), shape), 2)
            assert norm.item() == pytest.approx(expected, rel=1e-5)
            member.float()


def test_neither_the_networks_input_size_nor_a_circle_stands_for_the_layer() -> None:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(3, 4, 3, padding=1), nn.Flatten())
    network.append(nn.Linear(4 * 3 * 3, 2))
    x, y = torch.randn(6, 2, 14, 14), torch.arange(6) % 2
    found = Evidence(Subject(network, train=(x, y)))["operator_norms"]
    layer = network[3].double()
    true, image = (np.linalg.norm(oracle.operator(layer, (3, side, side)), 2) for side in (3, 14))
    layer.padding_mode, layer._reversed_padding_repeated_twice = "circular", [1, 1, 1, 1]
    circle = np.linalg.norm(oracle.operator(layer, (3, 3, 3)), 2)
    assert found["3.weight"].norm.item() == pytest.approx(true, rel=1e-5)
    assert min(abs(image / true - 1), abs(circle / true - 1)) > 1e-2  # the traps would be seen


def test_dense_layers_and_attention_are_their_matrices() -> None:
    case = cases.transformer()
    found = Evidence(case.subject())["operator_norms"]
    matrices = oracle.weight_matrices(case.network)
    assert list(found) == list(matrices)
    np.testing.assert_allclose([float(each.norm) for each in found.values()], oracle.spectral(matrices), rtol=1e-5)
    assert all(bool(each.converged.all()) for each in found.values())


def test_batch_norms_are_folded_and_company_changes_nothing() -> None:
    members = [cases.cnn(seed=seed) for seed in (0, 1, 2)]
    together = Evidence(cases.together(members))["operator_norms"]
    for index, case in enumerate(members):
        alone = Evidence(case.subject())["operator_norms"]
        matrices = oracle.weight_matrices(case.network)
        for layer, channels in (("0.weight", 2), ("3.weight", 6)):
            convolution = nn.Conv2d(channels, len(matrices[layer]), 3, padding=1, bias=False).double()
            convolution.weight.data = torch.from_numpy(matrices[layer]).reshape(convolution.weight.shape)
            expected = np.linalg.norm(oracle.operator(convolution, (channels, 6, 6)), 2)
            assert together[layer].norm[index].item() == pytest.approx(expected, rel=1e-5)
            assert together[layer].norm[index].item() == pytest.approx(alone[layer].norm.item(), rel=1e-10)


def test_what_does_not_settle_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "STEPS", 8)
    torch.manual_seed(2)
    layer = nn.Conv2d(4, 4, 3, padding=1)
    found = convolution_norm(
        layer, layer.weight.detach()[None], torch.randn(4, 16, 16, dtype=torch.float64), memory=2**28
    )
    assert not found.converged.any()
    zeros = convolution_norm(layer, torch.zeros(1, 4, 4, 3, 3), torch.randn(4, 8, 8, dtype=torch.float64), memory=2**28)
    assert zeros.converged.all()
    assert zeros.norm.item() == 0


def test_the_largest_input_counts_and_an_unused_convolution_is_left_out() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared, self.unused = nn.Conv1d(1, 1, 3, padding=1), nn.Conv1d(1, 1, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.shared(self.shared(x)[..., ::2]).flatten(1)

    network = Twice()
    assert input_shapes(Population(network), torch.zeros(1, 1, 8)) == {"shared": torch.Size([1, 8])}
    found = Evidence(Subject(network, train=(torch.randn(4, 1, 8), torch.arange(4))))["operator_norms"]
    assert list(found) == ["shared.weight"]
