"""Magnitude pruning against the error for every number of weights kept."""

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.engine.evidence.pruning import magnitude_ranks, pruned_to
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import Population
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Passes


@pytest.mark.parametrize("name", ["mlp", "cnn", "generalizer"])
def test_networks_against_every_fraction(name: str) -> None:
    make = getattr(cases, name)
    members = [make(seed=seed) for seed in range(3)]
    found = Evidence(cases.together(members))["pruning"]
    for index, case in enumerate(members):
        network = oracle.folded(case.network) if name == "cnn" else case.network
        errors = oracle.errors_when_pruned(network, *case.train)
        total = len(errors) - 1
        for fraction, error in zip(found.fractions[index].tolist(), found.errors[index].tolist(), strict=True):
            count = fraction * total
            assert count == pytest.approx(round(count), abs=1e-6)
            assert error == pytest.approx(errors[round(count)], abs=1e-9)
        if errors[-1] > 0.1:
            assert found.kept[index].isnan()
            continue
        kept, failing = found.kept[index].item(), found.failing[index].item()
        assert errors[round(kept * total)] <= 0.1 < errors[round(failing * total)]
        # Eight evaluations: from the first failing fraction of the grid 0.4^k on, each halves the enclosure's logarithm.
        grid = next(k for k in range(1, 9) if errors[round(0.4**k * total)] > 0.1)
        assert kept - failing <= 1.01 / total or kept / failing == pytest.approx(
            2.5 ** (0.5 ** (8 - grid)), rel=2 / (kept * total)
        )


def test_a_known_answer() -> None:
    # Only the largest of ten weights matters; the grid falls from 0.4 of ten to 0.16 of ten, then to one.
    layer = nn.Linear(10, 1)
    layer.weight.data = torch.tensor([[1.0, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1]])
    layer.bias.data.fill_(0.0)
    x = torch.eye(10)[[0, 0, 0, 0]] * torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    data = (x, torch.tensor([1, 0, 1, 0]))
    found = Evidence(Subject(layer, train=data, loss="binary-cross-entropy"))["pruning"]
    assert found.kept.item() == pytest.approx(0.1)
    assert found.converged.tolist() == [False]  # one weight is enough, and with none left it was not tried
    assert found.errors[0].tolist() == [0.0] * 9
    layer.weight.data[0, 0] = -1.0
    wrong = Evidence(Subject(layer, train=data, loss="binary-cross-entropy"))["pruning"]
    assert wrong.kept.isnan().all()
    assert wrong.converged.all()


def test_the_largest_stay_and_the_biases_too() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    network[0].weight.data = torch.tensor([[4.0, -1.0], [0.5, 3.0]])
    network[1].weight.data = torch.tensor([[-5.0, 2.0]])
    population = Population(network)
    ranks = magnitude_ranks(population)
    assert ranks["0.weight"].tolist() == [[[1, 4], [5, 2]]]
    assert ranks["1.weight"].tolist() == [[[0, 3]]]
    pruned = pruned_to(population, ranks, torch.tensor([2.0]))
    assert pruned.parameters["0.weight"].tolist() == [[[4.0, 0.0], [0.0, 0.0]]]
    assert pruned.parameters["1.weight"].tolist() == [[[-5.0, 0.0]]]
    assert torch.equal(pruned.parameters["0.bias"], population.parameters["0.bias"])
    assert population.parameters["1.weight"].tolist() == [[[-5.0, 2.0]]]


def test_equal_magnitudes_are_kept_to_the_exact_number() -> None:
    population = Population(nn.Linear(8, 4))
    population.parameters["weight"] = torch.ones(1, 4, 8)
    pruned = pruned_to(population, magnitude_ranks(population), torch.tensor([5.0]))
    assert pruned.parameters["weight"].sum() == 5


def test_cost_and_a_member_alone() -> None:
    members = [cases.cnn(seed=seed) for seed in range(3)]
    whole = Evidence(cases.together(members))
    whole["errors"]
    before = whole.spent
    together = whole["pruning"]
    assert whole.spent == before + Passes(forward=8.0)
    for index, case in enumerate(members):
        for part, row in zip(Evidence(case.subject())["pruning"], together, strict=True):
            assert np.allclose(part[0], row[index], rtol=1e-9, equal_nan=True)


def test_not_for_regressions() -> None:
    with pytest.raises(NotApplicable, match="regression"):
        Evidence(cases.regression().subject())["pruning"]
