"""Gradient moments against one example at a time through autograd in float64, and closed forms."""

from typing import Any

import pytest
import torch
from tests import cases
from tests.oracles import gradients as oracle
from torch import Tensor, nn

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import Passes

NAMES = ("mlp", "cnn", "transformer", "token_transformer", "residual", "tied", "regression")


def agrees(evidence: Evidence, member: int, network: nn.Module, train: Any, loss: str = "cross-entropy") -> None:
    """Compare both moments of a member with the oracle's."""
    expected = oracle.per_example(network, *train, loss)
    flat = oracle.flat(expected)
    # Float32 sums over terms of mixed sign: absolute errors are relative to the largest gradient.
    scale = flat.norm(dim=1).max().item()
    moments = evidence["gradient_moments"]
    assert torch.allclose(moments.norms[member], flat.norm(dim=1), rtol=1e-5, atol=1e-6 * scale)
    assert list(moments.mean) == list(expected)
    for name, gradient in expected.items():
        assert torch.allclose(moments.mean[name][member], gradient.mean(0), rtol=1e-5, atol=1e-6 * scale), name


@pytest.mark.parametrize("name", NAMES)
def test_moments_of_one_network(name: str) -> None:
    case = {**cases.ALL, "regression": cases.regression}[name]()
    evidence = Evidence(case.subject())
    agrees(evidence, 0, case.network, case.train, case.loss)
    assert evidence.spent == Passes(1.0, 1.0)


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_readings_of_one_network(name: str) -> None:
    case = cases.ALL[name]()
    flat = oracle.flat(oracle.per_example(case.network, *case.train))
    evidence = Evidence(case.subject())
    noise = read_measure(find("gradient-noise"), evidence).value.item()
    assert noise == pytest.approx(oracle.gradient_noise(flat), rel=1e-5)
    coherence = read_measure(find("m-coherence"), evidence).value.item()
    assert coherence == pytest.approx(oracle.m_coherence(flat), rel=1e-5)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_moments_of_a_population(name: str) -> None:
    members = [cases.ALL[name](seed) for seed in range(3)]
    evidence = Evidence(cases.together(members))
    for index, member in enumerate(members):
        agrees(evidence, index, member.network, member.train)
    assert evidence.spent == Passes(1.0, 1.0)


@pytest.mark.parametrize("memory", [1, 40_000, 200_000])
def test_the_way_the_work_is_cut_changes_nothing(memory: int) -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    whole = Evidence(cases.together(members))["gradient_moments"]
    cut = Evidence(cases.together(members, memory=memory))["gradient_moments"]
    assert torch.allclose(cut.norms, whole.norms, rtol=1e-5, atol=1e-7)
    for name, gradient in whole.mean.items():
        assert torch.allclose(cut.mean[name], gradient, rtol=1e-4, atol=1e-7), name


def test_data_of_every_member_its_own() -> None:
    members = [cases.mlp(seed) for seed in range(2)]
    x, y = members[0].train
    apart = Examples(torch.stack([x, x.flip(0) + 0.5]), torch.stack([y, y]), x_per_member=True, y_per_member=True)
    subject = members[0].subject(network=[member.network for member in members], initial=None, test=None, train=apart)
    evidence = Evidence(subject)
    for index, member in enumerate(members):
        agrees(evidence, index, member.network, (apart.x[index], apart.y[index]))


@pytest.mark.parametrize("members", [1, 2])
def test_recurrent_networks(members: int) -> None:
    recurrent = [cases.lstm(seed) for seed in range(members)]
    evidence = Evidence(cases.together(recurrent))
    for index, case in enumerate(recurrent):
        agrees(evidence, index, case.network, case.train)


class Branching(nn.Module):
    """A network whose path depends on what it computes, which no rule of vmap covers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(8, 6), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.first if bool(self.head(torch.tanh(self.first(x))).sum() > 0) else self.second
        return self.head(torch.tanh(layer(x)))


@pytest.mark.parametrize("per_member", [False, True])
def test_a_network_that_cannot_be_vectorised_gives_the_same(per_member: bool) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = [Branching(), Branching()]
    x, y = cases.mlp().train
    x = torch.stack([x, x.flip(0) + 0.5]) if per_member else x
    evidence = Evidence(Subject(networks, Examples(x, y, x_per_member=per_member)))
    for index, network in enumerate(networks):
        agrees(evidence, index, network, (x[index] if per_member else x, y))
    with pytest.warns(UserWarning, match="cannot be vectorised"):
        evidence["outputs"]


def test_orthogonal_gradients_of_equal_length_have_coherence_one() -> None:
    readings = linear(torch.eye(4), torch.zeros(4, 1), weight=torch.full((1, 4), 0.5))
    # g_i = 2 (w_i - 0) e_i = e_i: squared norms 1, mean of squared norm 1/4.
    assert readings["m-coherence"] == pytest.approx(1.0, rel=1e-6)
    assert readings["gradient-noise"] == pytest.approx(1 - 1 / 4, rel=1e-6)


def test_identical_gradients_have_coherence_n_and_no_noise() -> None:
    readings = linear(torch.tensor([[1.0, 2.0]]).repeat(6, 1), torch.zeros(6, 1), weight=torch.tensor([[1.0, 1.0]]))
    assert readings["m-coherence"] == pytest.approx(6.0, rel=1e-6)
    assert readings["gradient-noise"] == pytest.approx(0.0, abs=1e-5)


def test_opposite_gradients_cancel() -> None:
    readings = linear(torch.tensor([[3.0], [3.0]]), torch.tensor([[1.0], [-1.0]]), weight=torch.zeros(1, 1))
    # g = -2 x y = -6 and 6.
    assert readings["m-coherence"] == pytest.approx(0.0, abs=1e-12)
    assert readings["gradient-noise"] == pytest.approx(36.0, rel=1e-6)


def test_gradients_that_all_vanish_have_no_coherence() -> None:
    readings = linear(torch.eye(2), torch.zeros(2, 1), weight=torch.zeros(1, 2))
    assert readings["m-coherence"] is None
    assert readings["gradient-noise"] == 0.0


def linear(x: Tensor, y: Tensor, weight: Tensor) -> dict[str, float | None]:
    """Readings of a linear regression without bias: the gradient of (w x - y)^2 is 2 (w x - y) x."""
    network = nn.Linear(x.shape[1], 1, bias=False)
    with torch.no_grad():
        network.weight.copy_(weight)
    evidence = Evidence(Subject(network, (x, y), loss="squared-error"))
    names = ("m-coherence", "gradient-noise")
    return {name: read_measure(find(name), evidence).rows()[0]["value"] for name in names}
