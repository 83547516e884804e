"""Stacked outputs with a graph: the population's own outputs, and gradients that are each member's own."""

import pytest
import torch
from tests import cases
from torch import nn

from heldout.engine.evidence.differentiating import stacked_outputs
from heldout.engine.population import Population
from heldout.engine.population.vectorising import vectorisable_kernels


@pytest.mark.parametrize("name", ["mlp", "cnn", "lstm"])
@pytest.mark.filterwarnings("ignore:this network cannot be vectorised")
def test_outputs_and_gradients_are_those_of_the_members(name: str) -> None:
    subject = cases.together([getattr(cases, name)(seed=seed) for seed in range(2)])
    population, x = subject.population, subject.train.x
    with torch.enable_grad(), vectorisable_kernels():
        leaves = {key: tensor.detach().requires_grad_() for key, tensor in population.parameters.items()}
        outputs = stacked_outputs(population, leaves, population.buffers, x, per_member=False)
        found = torch.autograd.grad(outputs.sum(), list(leaves.values()), materialize_grads=True)
    torch.testing.assert_close(outputs.detach(), population(x), rtol=1e-4, atol=1e-5)
    for index in range(2):
        module = getattr(cases, name)(seed=index).network
        with torch.enable_grad():
            own = torch.autograd.grad(module(x).sum(), list(module.parameters()))
        for ours, theirs in zip(found, own, strict=True):
            torch.testing.assert_close(ours[index], theirs, rtol=1e-3, atol=1e-4)


def test_one_network_at_several_places_and_inputs_of_their_own() -> None:
    population = Population(nn.Linear(3, 2))
    weights = {"weight": torch.arange(18.0).reshape(3, 2, 3), "bias": torch.zeros(3, 2)}
    x = torch.arange(36.0).reshape(3, 4, 3)
    outputs = stacked_outputs(population, weights, {}, x, per_member=True)
    torch.testing.assert_close(outputs, x @ weights["weight"].mT)
    assert population.loop_reason == ""
