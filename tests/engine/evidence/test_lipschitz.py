"""Bounds of networks against their weights, and gradients that were found against automatic differentiation and linear networks."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.lipschitz import EXAMPLES, ROUNDS
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics.lipschitz import combettes_pesquet
from heldout.engine.population import stream
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


def data(rows: int = 12, entries: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(rows, entries, generator=torch.Generator().manual_seed(0))
    return x, torch.arange(rows) % 2


def test_bounds_are_those_of_the_weight_matrices() -> None:
    case = cases.mlp()
    found = Evidence(case.subject())["lipschitz_bounds"]
    weights = [layer.weight.detach().double().unsqueeze(0) for layer in case.network if isinstance(layer, nn.Linear)]  # type: ignore[attr-defined]
    torch.testing.assert_close(found.pieces, combettes_pesquet(weights))
    norms = [torch.linalg.matrix_norm(weight, ord=2) for weight in weights]
    torch.testing.assert_close(found.product, torch.stack(norms).prod(0))
    assert found.quadratic < found.pieces < found.product


def test_a_linear_network_is_as_steep_everywhere_as_its_norm() -> None:
    network = nn.Linear(3, 2)
    evidence = Evidence(Subject(network, train=data()))
    norm = torch.linalg.matrix_norm(network.weight.detach().double(), ord=2).item()
    steep, bounds = evidence["input_steepness"], evidence["lipschitz_bounds"]
    assert steep.outputs.item() == pytest.approx(norm, rel=1e-6)
    assert steep.at_examples.item() == pytest.approx(norm, rel=1e-6)
    assert bounds.quadratic.item() == pytest.approx(norm, rel=1e-9)


def test_examples_by_automatic_differentiation() -> None:
    case = cases.mlp()
    evidence = Evidence(case.subject(), seed=5)
    chosen = torch.randperm(60, generator=stream(5, "steepest"))[:EXAMPLES]
    norms = [
        torch.linalg.matrix_norm(torch.autograd.functional.jacobian(case.network, x).double(), ord=2)
        for x in case.train[0][chosen]
    ]
    found = evidence["input_steepness"]
    assert found.at_examples.item() == pytest.approx(max(norms).item(), rel=1e-5)
    assert found.at_examples <= found.outputs <= evidence["lipschitz_bounds"].quadratic


def test_the_law_is_about_probabilities_in_units_of_inputs_and_labels() -> None:
    network, (x, y) = nn.Linear(3, 2), data()
    found = Evidence(Subject(network, train=(10 * x, y)))["input_steepness"]
    gap = (network.weight[1] - network.weight[0]).norm().item()
    # p (1 - p) |w_1 - w_0| is at most a quarter of the latter; spread of inputs times that over a label deviation of 1/2
    spread = (10 * x).double().var(0, correction=0).sum().sqrt().item()
    assert 0 < found.laws.item() <= 0.25 * gap * spread / 0.5 * (1 + 1e-6)
    binary = nn.Linear(3, 1)
    with torch.no_grad():
        binary.weight.copy_((network.weight[1] - network.weight[0]).unsqueeze(0))
        binary.bias.copy_(network.bias[1] - network.bias[0])
    one_logit = Subject(binary, train=(10 * x, y.float()), loss="binary-cross-entropy")
    assert Evidence(one_logit)["input_steepness"].laws.item() == pytest.approx(found.laws.item(), rel=0.3)


def test_of_a_regression_the_law_is_about_targets_in_units_of_their_deviation() -> None:
    network, (x, _) = nn.Linear(3, 2), data()
    y = torch.stack([x[:, 0], 100 * x[:, 1]], 1)
    found = Evidence(Subject(network, train=(x, y), loss="squared-error"))["input_steepness"]
    spread = x.double().var(0, correction=0).sum().sqrt()
    scaled = network.weight.detach().double().norm(dim=1) / y.double().std(0, correction=0)
    assert found.laws.item() == pytest.approx((scaled.max() * spread).item(), rel=1e-6)


def test_own_data_and_networks_that_cannot_be_stacked() -> None:
    x = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(1))
    networks = [nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)) for _ in range(2)]
    subject = Subject(networks, Examples(x, torch.arange(9).repeat(2, 1) % 2, True, True))
    together = Evidence(subject)["input_steepness"].outputs
    alone = Evidence(Subject(networks[1], train=(x[1], torch.arange(9) % 2)))["input_steepness"].outputs
    assert together[1].item() == pytest.approx(alone.item(), rel=1e-5)
    assert subject.population.tally.forward == 2 * 18 * (ROUNDS + 1)
    assert subject.population.tally.backward == 2 * 2 * 18 * (ROUNDS + 1)


def test_what_cannot_be_says_why() -> None:
    for case, word in ((cases.transformer(), "Transformer"), (cases.cnn(), "pools")):
        with pytest.raises(NotApplicable, match=word):
            Evidence(case.subject())["lipschitz_bounds"]
    stretched = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(-0.5), nn.Linear(4, 2))
    with pytest.raises(NotApplicable, match="slope"):
        Evidence(Subject(stretched, train=data()))["lipschitz_bounds"]
    with pytest.raises(NotApplicable, match="no single tensor"):
        Evidence(cases.token_transformer().subject())["input_steepness"]


def test_wide_layers_keep_the_bound_without_descent() -> None:
    wide = nn.Sequential(nn.Linear(3, 300), nn.ReLU(), nn.Linear(300, 2))
    found = Evidence(Subject(wide, train=data()))["lipschitz_bounds"]
    assert found.quadratic <= found.product * (1 + 1e-9)
