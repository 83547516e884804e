"""Distances to the boundary: exact for linear networks, and by plain autograd on one example at a time for others."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import inputs as oracle
from torch import Tensor, nn

from heldout.engine.evidence.boundary import INPUT, distances_of
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Subject


def close(found: Tensor, expected: object) -> bool:
    return torch.allclose(found.double(), torch.as_tensor(np.asarray(expected)).double(), rtol=1e-4, atol=1e-5)


def test_of_a_linear_network_it_is_the_distance_to_the_hyperplane() -> None:
    network = nn.Linear(2, 3)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[3.0, 4.0], [0.0, 0.0], [-9.0, 0.0]]))
        network.bias.copy_(torch.tensor([0.0, 5.0, -100.0]))
    x, y = torch.tensor([[3.0, 4.0], [0.0, 0.0], [1.0, 0.5]]), torch.tensor([[0, 0, 1]])
    subject = Subject(network, (x, y[0]))
    found = distances_of(subject, Population(network), x, y, (), with_input=True)
    # 3 a + 4 b = 5 parts the first class from the second, 5 being the length of (3, 4): 20 / 5, -5 / 5, 0
    assert close(found.distance[INPUT], [[4.0, -1.0, 0.0]])
    spread = np.var(x.numpy(), axis=0)
    assert found.variance[INPUT].item() == pytest.approx(spread.sum(), rel=1e-6)
    assert found.typical[INPUT].item() == pytest.approx(spread.mean(), rel=1e-6)


def test_a_step_of_that_length_ends_on_the_boundary() -> None:
    case = cases.linear()
    network = oracle.exact(case.network)
    x, y = case.train
    found = distances_of(case.subject(), Population(network), x.double(), y.unsqueeze(0), (), with_input=True)
    for i in range(12):
        scores = network(x[i].double())
        other = int(scores.scatter(0, y[i], float("-inf")).argmax())
        slope = network.weight[y[i]] - network.weight[other]
        moved = network(x[i].double() - found.distance[INPUT][0, i] * slope / slope.norm())
        assert moved[y[i]].item() == pytest.approx(moved[other].item(), abs=1e-9)


@pytest.mark.parametrize("memory", [2**28, 6_000])
def test_networks_at_the_input_and_at_hidden_layers(memory: int) -> None:
    parts = {
        "mlp": {"0": (slice(0, 1), slice(1, 5)), "2": (slice(0, 3), slice(3, 5))},
        "cnn": {"0": (slice(0, 2), slice(2, 9)), "3": (slice(0, 5), slice(5, 9))},  # after the batch norm
    }
    for name, places in parts.items():
        members = [cases.ALL[name](seed) for seed in (0, 1)]
        subject = cases.together(members, memory=memory)
        evidence = Evidence(subject)
        x, y = members[0].train[0][:9], members[0].train[1][:9]
        labels = y.expand(2, -1)
        before = subject.population.tally.backward
        found = distances_of(subject, evidence["folded"], x, labels, evidence["hidden_cuts"], with_input=True)
        assert subject.population.tally.backward - before == 2 * 9
        assert list(found.distance) == [INPUT, *places]
        for index, member in enumerate(members):
            network = oracle.exact(member.network)
            expected = [oracle.distance(network, one, int(c)) for one, c in zip(x, y, strict=True)]
            assert close(found.distance[INPUT][index], expected)
            for place, (first, rest) in places.items():
                hidden = network[first](x.double()).detach()
                expected = [oracle.distance(network[rest], one, int(c)) for one, c in zip(hidden, y, strict=True)]
                assert close(found.distance[place][index], expected)
                spread = oracle.variances(hidden.flatten(1).numpy())
                assert found.variance[place][index].item() == pytest.approx(sum(spread), rel=1e-4)
                assert found.typical[place][index].item() == pytest.approx(oracle.trimmed_mean(spread, 0.05), rel=1e-4)


def test_members_with_points_of_their_own_and_a_network_that_cannot_be_vectorised() -> None:
    members = [cases.lstm(seed) for seed in (0, 1)]
    x, y = members[0].train
    own = torch.stack([x[:5], x[5:10]])
    labels = torch.stack([y[:5], y[5:10]])
    subject = cases.together(members)
    cuts = Evidence(subject)["hidden_cuts"]
    with pytest.warns(UserWarning, match="cannot be vectorised"):
        found = distances_of(subject, subject.population, own, labels, cuts, with_input=True, per_member=True)
    for index, member in enumerate(members):
        network = oracle.exact(member.network)
        expected = [oracle.distance(network, one, int(c)) for one, c in zip(own[index], labels[index], strict=True)]
        assert close(found.distance[INPUT][index], expected)
        hidden = network.body(own[index].double())[0].detach()
        after = lambda h, network=network: network.head(h[:, -1])  # noqa: E731
        expected = [oracle.distance(after, one, int(c)) for one, c in zip(hidden, labels[index], strict=True)]
        assert close(found.distance["body"][index], expected)


def test_one_binary_logit_is_two_scores() -> None:
    network = nn.Linear(2, 1)
    x, y = torch.tensor([[1.0, 2.0], [-3.0, 0.5]]), torch.tensor([1, 0])
    subject = Subject(network, (x, y), loss="binary-cross-entropy")
    found = distances_of(subject, subject.population, x, y.unsqueeze(0), (), with_input=True)
    expected = network(x).detach().squeeze(1) * torch.tensor([1.0, -1.0]) / network.weight.detach().norm()
    assert close(found.distance[INPUT][0], expected)
