"""Sign changes around points, against hyperplanes whose distances are known."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.neighbourhoods import DIRECTIONS, RADIUS, orthonormal, sign_changes
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def network(inplace: bool = False) -> nn.Module:
    """Four hyperplanes x_0 = 0, 1, 2, 3 in three dimensions, and behind them one that nothing crosses."""
    first, second = nn.Linear(3, 4), nn.Linear(4, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0, 0]] * 4))
        first.bias.copy_(-torch.arange(4.0))
        second.weight.zero_()
        second.bias.fill_(5.0)
    return nn.Sequential(first, nn.ReLU(inplace=inplace), second, nn.ReLU(inplace=inplace), nn.Linear(1, 2))


@pytest.mark.parametrize("inplace", [False, True])
def test_it_counts_the_hyperplanes_that_pass_by(inplace: bool) -> None:
    points = torch.tensor([[0.05, 7, 7], [0.5, 0, 0], [1.0, -3, 2], [9.0, 0, 0]])
    population = Population([network(inplace)] * 2)
    axes = torch.eye(3, dtype=torch.float64)
    assert sign_changes(population, points, axes, 0.1).tolist() == [[1, 0, 1, 0]] * 2
    assert sign_changes(population, points, axes, 0.6).tolist() == [[1, 2, 1, 0]] * 2
    assert sign_changes(population, points, axes[1:], 0.6).tolist() == [[0, 0, 0, 0]] * 2  # along the hyperplanes
    assert population.tally.forward == 2 * 4 * (6 + 6 + 4)


def test_members_can_have_their_own_points_and_chunks_change_nothing() -> None:
    points = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0)) * 2
    axes = orthonormal(3, 12, seed=1)
    population, small = Population([network()] * 2), Population([network()] * 2, memory=500)
    own = sign_changes(population, points, axes, 0.4, per_member=True)
    assert own.sum() > 0
    for member in (0, 1):
        assert torch.equal(sign_changes(population, points[member], axes, 0.4)[member], own[member])
    assert torch.equal(sign_changes(small, points, axes, 0.4, per_member=True), own)


def test_random_hyperplanes_against_their_distances() -> None:
    case = cases.mlp()
    axes = orthonormal(8, 5, seed=2)
    x = case.train[0]
    weight, bias = (tensor.detach().double() for tensor in (case.network[0].weight, case.network[0].bias))  # type: ignore[index]
    away = x.double() @ weight.T + bias
    reach = 0.3 * (weight @ axes.T).abs().max(1).values
    one_layer = nn.Sequential(case.network[0], nn.ReLU(), nn.Linear(16, 3))  # type: ignore[index]
    found = sign_changes(Population(one_layer), x, axes, 0.3)[0]
    assert torch.equal(found, (away.abs() < reach).sum(1).double())
    assert 0 < found.mean() < 16


def test_directions_are_orthonormal_and_no_more_than_there_are() -> None:
    axes = orthonormal(20, 12, seed=3)
    torch.testing.assert_close(axes @ axes.T, torch.eye(12, dtype=torch.float64))
    assert orthonormal(4, 12, seed=3).shape == (4, 4)
    assert not torch.equal(orthonormal(20, 12, seed=4), axes)


def test_evidence_costs_no_more_than_two_sweeps() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=1)
    found = evidence["local_complexities"]
    assert found.shape == (1, 60 // min(DIRECTIONS, 8))
    assert evidence.subject.population.tally.forward <= 2 * 60
    chosen = {tuple(row) for row in sign_changes(
        evidence.subject.population, case.train[0], orthonormal(8, DIRECTIONS, 1), RADIUS).T.tolist()}  # fmt: skip
    assert {(value,) for value in found[0].tolist()} <= chosen


def test_own_data_of_the_members() -> None:
    x = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
    subject = Subject([network(), network()], Examples(x, torch.zeros(2, 30, dtype=torch.int64), True, True))
    assert Evidence(subject)["local_complexities"].shape == (2, 10)


@pytest.mark.parametrize(("case", "word"), [
    (cases.linear(), "no ReLU module"), (cases.transformer(), "no ReLU module"), (cases.token_transformer(), "no ReLU module"),
])  # fmt: skip
def test_what_cannot_be_says_why(case: cases.Case, word: str) -> None:
    with pytest.raises(NotApplicable, match=word):
        Evidence(case.subject())["local_complexities"]


def test_tokens_have_no_neighbourhood() -> None:
    tokens = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.ReLU(), nn.Linear(8, 2))
    subject = Subject(tokens, (torch.zeros(6, 2, dtype=torch.int64), torch.tensor([0, 1] * 3)))
    with pytest.raises(NotApplicable, match="no single tensor of numbers"):
        Evidence(subject)["local_complexities"]
