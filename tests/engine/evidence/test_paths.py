"""Path sums against an enumeration of all paths, and the networks that have none."""

import copy

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import Tensor, nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable


def evidence_of(network: nn.Module | list[nn.Module], *shape: int) -> Evidence:
    """Evidence of untrained networks on any data."""
    x = torch.randn(6, *shape, generator=torch.Generator().manual_seed(0))
    return Evidence(Subject(network, train=(x, torch.arange(6) % 2)))


def matrices(network: nn.Module) -> tuple[list[np.ndarray], list[np.ndarray]]:
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    return [one.weight.detach().double().numpy() for one in dense], [
        one.bias.detach().double().numpy() for one in dense
    ]


def test_every_path_of_a_dense_network() -> None:
    torch.manual_seed(0)
    networks = [
        nn.Sequential(
            nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3), nn.LeakyReLU(0.1), nn.Linear(3, 2)
        ).eval()
        for _ in range(2)
    ]
    found = evidence_of(networks, 3)["path_sum"]
    assert found.tolist() == pytest.approx(
        [oracle.sum_over_paths(*matrices(network)) for network in networks], rel=1e-6
    )


def test_every_path_of_a_convolution_with_batch_norm() -> None:
    # Trap 5: running statistics are no weights to be squared; they are folded first.
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)
    )
    network(3 * torch.randn(40, 2, 3, 3) + 1)  # statistics that are not 0 and 1
    network[1].weight.data = torch.tensor([2.0, -0.5])
    network[1].bias.data = torch.tensor([0.3, -0.4])
    plain = oracle.folded(network)
    matrix = oracle.convolution_as_matrix(plain[0].weight.detach().numpy(), 3, 1)
    expected = oracle.sum_over_paths(
        [matrix, plain[-1].weight.detach().numpy()],
        [np.repeat(plain[0].bias.detach().numpy(), 9), plain[-1].bias.detach().numpy()],
    )
    assert evidence_of(network.eval(), 2, 3, 3)["path_sum"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_networks(name: str) -> None:
    members = [cases.ALL[name](seed=seed) for seed in range(3)]
    found = Evidence(cases.together(members))["path_sum"]
    for index, case in enumerate(members):
        squared = oracle.folded(case.network)
        with torch.no_grad():
            for parameter in squared.parameters():
                parameter.square_()
            expected = squared(torch.ones_like(case.train[0][:1], dtype=torch.float64)).sum().item()
        assert found[index].item() == pytest.approx(expected, rel=1e-5)
        assert Evidence(case.subject())["path_sum"].item() == pytest.approx(found[index].item(), rel=1e-6)


def test_it_follows_the_function() -> None:
    case = cases.mlp()
    scaled, permuted = copy.deepcopy(case.network), copy.deepcopy(case.network)
    scaled[0].weight.data *= 8
    scaled[0].bias.data *= 8
    scaled[2].weight.data /= 8
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    permuted[0].weight.data, permuted[0].bias.data = permuted[0].weight[order].data, permuted[0].bias[order].data
    permuted[2].weight.data = permuted[2].weight[:, order].data
    found = Evidence(case.subject(network=[case.network, scaled, permuted], initial=None))["path_sum"]
    assert torch.allclose(found, found[:1].expand(3), rtol=1e-9)


class Residual(nn.Module):
    """A skip connection: its paths are those through the block and those around it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Linear(3, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x + torch.relu(self.block(x)))


def test_a_skip_connection_adds_paths() -> None:
    torch.manual_seed(2)
    network = Residual()
    block, head = network.block.weight.detach().double(), network.head.weight.detach().double()
    hidden = 1 + (block**2).sum(1) + network.block.bias.detach().double() ** 2
    expected = (head**2 @ hidden).sum() + (network.head.bias.detach().double() ** 2).sum()
    assert evidence_of(network, 3)["path_sum"].item() == pytest.approx(expected.item(), rel=1e-6)


class Acting(nn.Module):
    """A saturating activation that no module shows."""

    def __init__(self, act: str) -> None:
        super().__init__()
        self.enter, self.head, self.act = nn.Linear(3, 4), nn.Linear(4, 2), act

    def forward(self, x: Tensor) -> Tensor:
        h = self.enter(x)
        return self.head(
            h * h.sum(1, keepdim=True) if self.act == "gate" else getattr(torch.nn.functional, self.act)(h)
        )


class Scaled(nn.Module):
    """A parameter that belongs to no known layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.scale = nn.Linear(3, 2), nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.body(x)


@pytest.mark.parametrize(
    ("network", "named"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), "'1' is a Tanh"),
        (nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)), "'1' is a GELU"),
        (nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)), "'1' is a LayerNorm"),
        (
            nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval(),
            "'2' is a BatchNorm1d that",
        ),
        (nn.Sequential(nn.Linear(3, 2), nn.Softmax(1)), "'1' is a Softmax"),
        (Scaled(), "the network is a Scaled"),
        (Acting("gelu"), "forward does something"),
        (Acting("tanh"), "forward does something"),
        (Acting("softmax"), "forward does something"),
        (Acting("gate"), "forward does something"),
    ],
)
@pytest.mark.filterwarnings("ignore:Implicit dimension choice for softmax")
def test_networks_without_paths_are_told_which_layer(network: nn.Module, named: str) -> None:
    with pytest.raises(NotApplicable, match=named):
        evidence_of(network, 3)["path_sum"]


@pytest.mark.parametrize(
    ("name", "named"),
    [("transformer", "TransformerEncoderLayer"), ("lstm", "LSTM"), ("token_transformer", "whole numbers")],
)
def test_cases_without_paths(name: str, named: str) -> None:
    with pytest.raises(NotApplicable, match=named):
        Evidence(cases.ALL[name]().subject())["path_sum"]


def test_functional_relus_pass() -> None:
    assert evidence_of(Acting("relu"), 3)["path_sum"].isfinite().all()


def test_overflow_is_infinite_and_not_refused() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    for parameter in network.parameters():
        parameter.data.fill_(1e90)
    x = 1e-80 * torch.randn(6, 3, dtype=torch.float64)
    assert Evidence(Subject(network, train=(x, torch.arange(6) % 2)))["path_sum"].isinf().all()
