"""Norms of Jacobians over the input against Jacobians written out."""

import pytest
import torch
from tests import cases
from tests.oracles import inputs as oracle
from torch import nn

from heldout.engine.evidence.input_jacobians import directions_of
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


@pytest.mark.parametrize(("name", "memory"), [("mlp", 2**28), ("cnn", 6_000), ("lstm", 2**28), ("regression", 2**28)])
def test_few_outputs_are_exact(name: str, memory: int) -> None:
    members = [getattr(cases, name)(seed) for seed in (0, 1)][: 1 if name == "lstm" else 2]
    x = members[0].train[0][:7]
    evidence = Evidence(cases.together(members, train=(x, members[0].train[1][:7]), test=None, memory=memory), seed=1)
    found = evidence["input_jacobian_norms"]
    order = torch.randperm(7, generator=stream(1, "input jacobians"))
    for index, member in enumerate(members):
        expected = [oracle.jacobian_norm(member.network, x[i], softmax=name != "regression") for i in order]
        assert found[index].tolist() == pytest.approx(expected, rel=1e-3, abs=1e-6)
    tally = evidence.subject.population.tally
    assert tally.backward == 7 * len(members) * (2 if name == "regression" else 3)


def test_a_linear_network_by_hand() -> None:
    network = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    found = Evidence(Subject(network, (torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))))["input_jacobian_norms"]
    # both probabilities move by p (1 - p) = 1/4 of the logit, whose gradient has length 5
    assert found[0].tolist() == pytest.approx([2**0.5 * 5 / 4] * 4)


def test_one_binary_logit_and_data_of_the_members() -> None:
    networks = [nn.Linear(2, 1), nn.Linear(2, 1)]
    x = torch.randn(2, 5, 2, generator=torch.Generator().manual_seed(0))
    train = Examples(x, torch.tensor([0, 1, 0, 1, 0]), x_per_member=True)
    found = Evidence(Subject(networks, train, loss="binary-cross-entropy"))["input_jacobian_norms"]
    order = torch.randperm(5, generator=stream(0, "input jacobians"))
    for index, network in enumerate(networks):
        p = network(x[index, order]).detach().sigmoid().squeeze(1)
        expected = (p * (1 - p)).double() * network.weight.detach().norm() * 2**0.5
        torch.testing.assert_close(found[index], expected.double(), rtol=1e-5, atol=1e-7)


def test_many_outputs_are_estimated_without_bias_of_the_square() -> None:
    # rows of U are orthonormal times sqrt(C / K), so that E |U J|^2 = |J|^2; over 2000 draws the mean of a quantity of
    # relative deviation s is within 6 s / sqrt(2000) but with chance 2e-9
    jacobian = torch.randn(40, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    squares = torch.stack([(directions_of(40, seed) @ jacobian).square().sum() for seed in range(2000)])
    exact = jacobian.square().sum()
    assert abs(squares.mean() - exact) < 6 * squares.std() / 2000**0.5
    assert squares.std() < 0.2 * exact
    axes = directions_of(40, 0, most=5)
    torch.testing.assert_close(axes @ axes.T, 8 * torch.eye(5, dtype=torch.float64))
    assert torch.equal(directions_of(5, 0, most=5), torch.eye(5, dtype=torch.float64))


def test_wide_outputs_and_at_most_256_points() -> None:
    network = nn.Linear(3, 20)
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    evidence = Evidence(Subject(network, (x, torch.arange(300) % 20)))
    found = evidence["input_jacobian_norms"][0]
    order = torch.randperm(300, generator=stream(0, "input jacobians"))[:256]
    exact = torch.tensor([oracle.jacobian_norm(network, x[i], softmax=True) for i in order[:40]], dtype=torch.float64)
    assert found.shape == (256,)
    assert evidence.subject.population.tally.backward == 256 * 16
    assert (found[:40] / exact).min() > 0.5
    assert (found[:40] / exact).max() < 20**0.5 / 4 + 1e-6  # no vector is lengthened by more than sqrt(C / K)


def test_tokens_have_none() -> None:
    with pytest.raises(NotApplicable, match="whole numbers"):
        Evidence(cases.token_transformer().subject())["input_jacobian_norms"]
