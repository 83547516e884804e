"""Representations against sub-networks called by hand, in float64."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import separability as oracle
from torch import Tensor, nn

from heldout.engine.evidence.activations import representation_classes, representations
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable, Passes


def order(examples: int, seed: int = 0) -> Tensor:
    return torch.randperm(examples, generator=stream(seed, "representations"))


def close(found: Tensor, expected: Tensor) -> bool:
    scale = expected.abs().max().item()
    return found.shape == expected.shape and torch.allclose(
        found.double(), expected.double(), rtol=1e-4, atol=1e-5 * scale
    )


def test_an_mlp_gives_what_its_layers_receive() -> None:
    case = cases.mlp()
    found = Evidence(case.subject())["representations"]
    x = case.train[0][order(60)]
    assert list(found) == ["2", "4"]
    for name, tensor in found.items():
        assert close(tensor[0], case.network[: int(name)](x).detach())


def test_maps_are_pooled_to_four_by_four_and_flattened() -> None:
    case = cases.cnn()
    found = Evidence(case.subject())["representations"]
    x = case.train[0][order(60)]
    assert list(found) == ["3", "8"]
    maps = case.network[:3](x).detach().double().numpy()
    assert close(found["3"][0], torch.tensor(np.stack([oracle.max_pooled(image) for image in maps])))
    assert close(found["8"][0], case.network[:8](x).detach())


def test_maps_smaller_than_the_grid_stay_as_they_are() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(2, 4, 4), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.Flatten())
    x, y = cases.cnn().train
    found = Evidence(Subject(network, (x, y)))["representations"]["2"][0]
    assert close(found, network[:2](x[order(60)]).detach().flatten(1))


def test_sequences_are_averaged_over_positions_and_unseen_projections_left_out() -> None:
    case = cases.transformer()
    found = Evidence(case.subject())["representations"]
    assert list(found) == ["body.self_attn", "body.linear1", "body.linear2", "head"]
    x = case.train[0][order(60)]
    entered = case.network.enter(x).detach()
    assert close(found["body.self_attn"][0], entered.mean(1))
    assert close(found["head"][0], case.network.body(entered).mean(1).detach())


def test_a_network_that_owns_a_table_is_no_layer() -> None:
    found = Evidence(cases.token_transformer().subject())["representations"]
    assert list(found) == ["body.self_attn", "body.linear1", "body.linear2", "head"]


def test_positions_folded_into_the_examples_are_found() -> None:
    class Folding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter, self.middle, self.head = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            h = self.enter(x)
            h = self.middle(torch.tanh(h).flatten(0, 1)).unflatten(0, h.shape[:2])
            return self.head(h.transpose(0, 1)).mean(0)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = [Folding(), Folding()]
    x, y = cases.transformer().train
    found = Evidence(Subject(networks, (x, y)))["representations"]
    for member, network in enumerate(networks):
        h = torch.tanh(network.enter(x[order(60)])).detach()
        assert close(found["middle"][member], h.mean(1))
        assert close(found["head"][member], network.middle(h).mean(1).detach())  # positions stand before examples here


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_a_member_alone_gives_what_it_gives_in_a_population(name: str) -> None:
    members = [cases.ALL[name](seed) for seed in range(3)]
    together = Evidence(cases.together(members))["representations"]
    for index, member in enumerate(members):
        for layer, tensor in Evidence(member.subject())["representations"].items():
            assert close(together[layer][index], tensor[0]), layer


@pytest.mark.parametrize("memory", [1, 30_000])
def test_the_way_the_work_is_cut_changes_nothing(memory: int) -> None:
    members = [cases.cnn(seed) for seed in range(2)]
    whole = Evidence(cases.together(members))["representations"]
    for layer, tensor in Evidence(cases.together(members, memory=memory))["representations"].items():
        assert close(tensor, whole[layer])


def test_a_network_that_cannot_be_vectorised() -> None:
    members = [cases.lstm(seed) for seed in range(2)]
    evidence = Evidence(cases.together(members))
    with pytest.warns(UserWarning, match="cannot be vectorised"):
        found = evidence["representations"]
    x = members[0].train[0][order(60)]
    for index, member in enumerate(members):
        assert close(found["head"][index], member.network.body(x)[0][:, -1].detach())


def test_the_number_of_examples_and_the_seed_of_their_choice() -> None:
    case = cases.mlp()
    few = representations(case.subject(), seed=5, most=7)
    assert close(few["2"][0], case.network[:2](case.train[0][order(60, seed=5)[:7]]).detach())
    evidence = Evidence(case.subject(), seed=5)
    assert torch.equal(evidence["representation_labels"][0], case.train[1][order(60, seed=5)])
    assert evidence.spent == Passes(1.0, 0.0)


def test_wide_layers_are_read_on_fewer_examples() -> None:
    network = nn.Sequential(nn.Linear(2, 25_000), nn.ReLU(), nn.Linear(25_000, 2))
    x, y = torch.arange(800.0).reshape(400, 2), torch.arange(400) % 2
    evidence = Evidence(Subject(network, (x, y)))
    assert evidence["representations"]["2"].shape == (1, 16 * 2**20 // 100_000, 25_000)
    assert evidence["representation_labels"].shape == (1, 167)


def test_classes_are_one_hot_over_those_that_occur() -> None:
    found = representation_classes(torch.tensor([[7, 2, 7], [2, 2, 5]]))
    assert found.tolist() == [[[0, 0, 1], [1, 0, 0], [0, 0, 1]], [[1, 0, 0], [1, 0, 0], [0, 1, 0]]]


def test_inputs_and_labels_of_every_member_its_own() -> None:
    members = [cases.mlp(seed) for seed in range(2)]
    x, y = members[0].train
    apart = Examples(torch.stack([x, x + 1]), torch.stack([y, y.roll(1)]), x_per_member=True, y_per_member=True)
    subject = members[0].subject(network=[m.network for m in members], initial=None, test=None, train=apart)
    evidence = Evidence(subject)
    assert torch.equal(evidence["representation_labels"], apart.y[:, order(60)])
    for index, member in enumerate(members):
        expected = member.network[:2](apart.x[index][order(60)]).detach()
        assert close(evidence["representations"]["2"][index], expected)


def test_a_layer_called_twice_is_read_at_its_first_call() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.enter, self.again = nn.Linear(8, 8), nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return self.again(torch.tanh(self.again(torch.tanh(self.enter(x)))))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Twice()
    x, y = cases.mlp().train
    found = Evidence(Subject(network, (x, y)))["representations"]
    assert close(found["again"][0], torch.tanh(network.enter(x[order(60)])).detach())


def test_a_linear_network_has_none_and_a_regression_no_classes() -> None:
    with pytest.raises(NotApplicable, match="no hidden layer"):
        Evidence(cases.linear().subject())["representations"]
    evidence = Evidence(cases.regression().subject())
    assert evidence["representations"]["2"].shape == (1, 60, 16)
    with pytest.raises(NotApplicable, match="regression"):
        evidence["representation_classes"]
