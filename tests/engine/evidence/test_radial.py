"""Weights times gradients: closed forms, homogeneity, and PyTorch's own gradients one example at a time."""

import copy

import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import Tensor, nn

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.subject import Examples, Subject
from heldout.engine.subject.losses import NAMED

DRAW = torch.Generator().manual_seed(4)


def test_softmax_regression_in_closed_form() -> None:
    case = cases.linear()
    logits = copy.deepcopy(case.network).double()(case.train[0].double()).detach()
    expected = ((logits.softmax(1) - torch.eye(3)[case.train[1]]) * logits).sum(1)  # weights and bias enter linearly
    found = Evidence(case.subject())["radial_derivatives"]
    torch.testing.assert_close(found[0], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("hidden", [1, 3])
def test_without_biases_it_is_the_depth_times_outputs_and_their_gradient(hidden: int) -> None:
    torch.manual_seed(hidden)
    layers: list[nn.Module] = []
    for width in [8] * hidden:
        layers += [nn.Linear(8, width, bias=False), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(8, 3, bias=False)).double()
    x, y = torch.randn(20, 8, generator=DRAW).double(), torch.arange(20) % 3
    outputs = network(x).detach()
    by_outputs = ((outputs.softmax(1) - torch.eye(3)[y]) * outputs).sum(1)
    found = Evidence(Subject(network, (x, y)))["radial_derivatives"][0]
    torch.testing.assert_close(found, (hidden + 1) * by_outputs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["cnn", "token_transformer", "lstm", "regression"])
def test_against_gradients_one_example_at_a_time(name: str) -> None:
    case = getattr(cases, name)()
    network = oracle.folded(case.network) if name == "cnn" else copy.deepcopy(case.network).double()
    x, y = case.train
    found = Evidence(case.subject())["radial_derivatives"][0]
    for i in range(0, 60, 12):
        some = {key: leaf[i : i + 1] for key, leaf in x.items()} if isinstance(x, dict) else x[i : i + 1].double()
        outputs = network(some["tokens"], some["weights"].double()) if isinstance(some, dict) else network(some)
        with torch.enable_grad():
            loss = NAMED[case.loss].per_example(outputs, y[i : i + 1]).sum()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        expected = sum(float((w * g).detach().sum()) for w, g in zip(network.parameters(), gradients, strict=True))
        assert found[i].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)  # batch norms are folded in float32


class Branching(nn.Module):
    """Cannot be vectorised: it looks at its data."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) if bool((x.abs().sum() > 0).item()) else 2 * self.body(x)


def test_one_by_one_where_vectorising_fails() -> None:
    torch.manual_seed(0)
    networks = [Branching().double() for _ in range(2)]
    x, y = torch.randn(10, 4, generator=DRAW).double(), torch.arange(10) % 3
    found = Evidence(Subject(networks, (x, y)))["radial_derivatives"]
    for member, network in enumerate(networks):
        z = network(x).detach()
        torch.testing.assert_close(found[member], ((z.softmax(1) - torch.eye(3)[y]) * z).sum(1), rtol=1e-9, atol=1e-12)


def test_chunks_of_members_and_examples_and_what_is_counted() -> None:
    members = [cases.mlp(seed) for seed in range(3)]
    whole, cut = (Evidence(cases.together(members, memory=memory)) for memory in (2**25, 3_000))
    torch.testing.assert_close(cut["radial_derivatives"], whole["radial_derivatives"], rtol=1e-12, atol=1e-14)
    passes = whole.alone(("radial_derivatives",))[0]
    assert (passes.forward, passes.backward) == (2.0, 0.0)


def test_labels_may_differ_from_member_to_member() -> None:
    case = cases.mlp()
    labels = torch.stack([case.train[1], (case.train[1] + 1) % 3])
    data = Examples(case.train[0], labels, y_per_member=True)
    found = Evidence(Subject([case.network, case.network], data))["radial_derivatives"]
    for member in range(2):
        alone = Evidence(Subject(case.network, (case.train[0], labels[member])))["radial_derivatives"]
        torch.testing.assert_close(found[member], alone[0], rtol=1e-10, atol=1e-12)
