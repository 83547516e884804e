"""Batch norm's statistics computed anew, against sums over the data, layer by layer."""

import torch
from torch import nn

from heldout.engine.population import Population, stream
from heldout.engine.population.batch_statistics import with_own_batch_statistics


def network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5, eps=0.1), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 4), nn.BatchNorm1d(4)
    )


def test_mean_and_variance_are_those_of_the_data_in_every_norm() -> None:
    population = Population.of(lambda: network().double(), 3, seed=1)
    x = torch.randn(50, 3, generator=stream(0, "x"), dtype=torch.float64) * 4 + 1
    before = {name: tensor.clone() for name, tensor in population.buffers.items()}
    found = with_own_batch_statistics(population, x, members=2)
    assert found.tally.forward == 150
    for member in range(3):
        weights = {name: tensor[member] for name, tensor in population.parameters.items()}
        one = x @ weights["0.weight"].T + weights["0.bias"]
        mean, variance = one.mean(0), ((one - one.mean(0)) ** 2).sum(0) / 49
        torch.testing.assert_close(found.buffers["1.running_mean"][member], mean)
        torch.testing.assert_close(found.buffers["1.running_var"][member], variance)
        hidden = ((one - mean) / (variance * 49 / 50 + 0.1).sqrt()).clamp(min=0)  # nothing is dropped
        two = hidden @ weights["4.weight"].T + weights["4.bias"]
        torch.testing.assert_close(found.buffers["5.running_mean"][member], two.mean(0))
        torch.testing.assert_close(found.buffers["5.running_var"][member], two.var(0))
    for name, tensor in before.items():
        assert torch.equal(population.buffers[name], tensor)


def test_networks_without_batch_norm_are_given_back() -> None:
    population = Population([nn.Linear(2, 2)])
    assert with_own_batch_statistics(population, torch.zeros(4, 2)) is population
    assert population.tally.forward == 0
