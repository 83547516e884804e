"""Linear pieces against hyperplanes that are known, tents whose pieces double, and a fine grid."""

import copy

import pytest
import torch
from tests import cases
from torch import Tensor, nn

from heldout.engine.evidence.linear_pieces import in_float64, pieces
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def counted(network: nn.Module, start: Tensor, end: Tensor) -> int:
    return int(pieces(in_float64(Population(network)), start.double().unsqueeze(0), end.double().unsqueeze(0)))


def tents(folds: int) -> nn.Sequential:
    """x -> 1 - |1 - 2 x| on [0, 1], composed with itself: 2^folds pieces (Telgarsky 2016)."""
    layers: list[nn.Module] = []
    for _ in range(folds):
        first, second = nn.Linear(1, 2), nn.Linear(2, 1)
        with torch.no_grad():  # 2 (relu(x + 1) - 1) - 4 relu(x - 1/2): the first unit never changes its sign on [0, 1]
            first.weight.copy_(torch.tensor([[1.0], [1.0]]))
            first.bias.copy_(torch.tensor([1.0, -0.5]))
            second.weight.copy_(torch.tensor([[2.0, -4.0]]))
            second.bias.fill_(-2.0)
        layers += [first, nn.ReLU(), second]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_tents_double_their_pieces(folds: int) -> None:
    assert counted(tents(folds), torch.tensor([0.0]), torch.tensor([1.0])) == 2**folds
    assert counted(tents(folds), torch.tensor([0.0]), torch.tensor([2.0**-folds])) == 1


@pytest.mark.parametrize("inplace", [False, True])
def test_it_counts_the_hyperplanes_between_two_points(inplace: bool) -> None:
    first = nn.Linear(2, 4)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0]] * 4))
        first.bias.copy_(-torch.arange(4.0))
    network = nn.Sequential(first, nn.ReLU(inplace=inplace), nn.Linear(4, 2))
    at = lambda x: torch.tensor([x, 5.0])  # noqa: E731
    assert counted(network, at(-0.5), at(0.5)) == 2
    assert counted(network, at(2.5), at(0.5)) == 3
    assert counted(network, at(-7.0), at(9.0)) == 5
    assert counted(network, at(0.2), at(0.8)) == 1


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_against_a_fine_grid(name: str) -> None:
    case = getattr(cases, name)()
    network = copy.deepcopy(case.network).double()
    x = case.train[0].double()
    received: list[Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _, given: received.append(given[0] > 0))
    for one, other in ((0, 1), (7, 30)):
        received.clear()
        grid = torch.lerp(x[one], x[other], torch.linspace(0, 1, 20_001, dtype=torch.float64).unsqueeze(1))
        with torch.no_grad():
            network(grid)
        signs = torch.cat(received, dim=1)
        # two changes within a twenty-thousandth of the segment would be one here
        assert counted(case.network, x[one], x[other]) == 1 + int((signs[1:] != signs[:-1]).any(1).sum())


def test_members_and_segments_are_those_of_members_alone() -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    together = Evidence(cases.together(members), seed=1)["linear_pieces"]
    assert together.shape == (3, 16)
    for member in range(3):
        assert torch.equal(Evidence(members[member].subject(), seed=1)["linear_pieces"][0], together[member])
    small = Evidence(cases.together(members, memory=20_000), seed=1)["linear_pieces"]
    assert torch.equal(small, together)


def test_own_data_leaky_units_and_few_examples() -> None:
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    networks = [nn.Sequential(nn.Linear(4, 9), nn.LeakyReLU(), nn.Linear(9, 2)) for _ in range(2)]
    found = Evidence(Subject(networks, Examples(x, torch.zeros(2, 3).long(), True, True)))["linear_pieces"]
    assert found.shape == (2, 3)
    assert (found >= 1).all()
    with pytest.raises(NotApplicable, match="one example"):
        Evidence(Subject(networks[0], train=(x[0, :1], torch.zeros(1).long())))["linear_pieces"]


class Bent(nn.Module):
    """A ReLU module, and a bend that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.last = nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.relu(self.first(x))))


class Hidden(Bent):
    """A ReLU that is called as a function."""

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.last(torch.relu(self.first(x)))) * 2


@pytest.mark.parametrize("network", [Bent, Hidden])
def test_bends_that_no_module_makes_are_noticed(network: type[nn.Module]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = network()
    x = 3 * torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    with pytest.raises(NotApplicable, match="bend"):
        Evidence(Subject(made, train=(x, torch.arange(20) % 2)))["linear_pieces"]


def test_without_relu_modules_there_is_none() -> None:
    with pytest.raises(NotApplicable, match="no ReLU module"):
        Evidence(cases.transformer().subject())["linear_pieces"]
