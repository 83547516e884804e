"""Pruning to a rise of the loss against the loss for every number of weights kept, by magnitude and in the drawn orders."""

import copy

import numpy as np
import pytest
import torch
from tests import cases
from tests.oracles import perturbation as oracle
from torch import nn

from heldout.engine.evidence.loss_pruning import DRAWS
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population import stream
from heldout.engine.subject import Examples
from heldout.records import Passes


def losses_when_kept(network: nn.Module, order: np.ndarray, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """Mean cross-entropy with only the weights of rank below k, for k from 0 to all."""
    weights = [p for p in network.double().parameters() if p.ndim > 1]
    stored = [p.detach().clone() for p in weights]
    found = []
    with torch.no_grad():
        for k in range(len(order) + 1):
            keep, at = torch.from_numpy(order < k), 0
            for weight, before in zip(weights, stored, strict=True):
                weight.copy_(before * keep[at : at + before.numel()].reshape(before.shape))
                at += before.numel()
            found.append(nn.functional.cross_entropy(network(x.double()), y).item())
        for weight, before in zip(weights, stored, strict=True):
            weight.copy_(before)
    return found


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_what_is_kept_passes_and_what_failed_fails(name: str) -> None:
    members = [getattr(cases, name)(seed=seed) for seed in range(2)]
    evidence = Evidence(cases.together(members), seed=4)
    found = evidence["loss_pruning"]
    for index, case in enumerate(members):
        network = oracle.folded(case.network) if name == "cnn" else copy.deepcopy(case.network)
        sizes = torch.cat([p.detach().abs().flatten() for p in network.parameters() if p.ndim > 1]).numpy()
        by_size = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
        losses, total = losses_when_kept(network, by_size, *case.train), len(sizes)
        limit = 1.1 * losses[-1]
        assert losses[round(found.kept[index].item() * total)] <= limit * (1 + 1e-5)
        assert losses[round(found.failing[index].item() * total)] > limit * (1 - 1e-5)
        order = torch.randperm(total, generator=stream(4, "pruning order", 3)).numpy()
        losses = losses_when_kept(network, order, *case.train)
        kept = round(found.random[index, 3].item() * total)
        assert losses[kept] <= limit * (1 + 1e-5)
        # the enclosure halves seven times on the logarithm: a few weights less was seen to fail
        step = max(2, int(0.02 * kept))
        assert max(losses[kept - step : kept]) > limit
    assert found.random.shape == (2, DRAWS)


def test_a_loss_of_zeros_weights_can_do_without_all() -> None:
    case = cases.linear()
    subject = case.subject()
    for name in subject.population.parameters:
        subject.population.parameters[name] = torch.zeros_like(subject.population.parameters[name])
    found = Evidence(subject)["loss_pruning"]
    assert not found.converged.any()
    assert not found.random_converged.any()


def test_cost_and_a_member_alone() -> None:
    members = [cases.cnn(seed=seed) for seed in range(2)]
    whole = Evidence(cases.together(members))
    whole["losses"]
    before = whole.spent
    together = whole["loss_pruning"]
    assert whole.spent == before + Passes(forward=8.0 * (1 + DRAWS))
    for part, row in zip(Evidence(members[1].subject())["loss_pruning"], together, strict=True):
        assert torch.allclose(part[0].double(), row[1].double())


def test_data_of_every_member_its_own() -> None:
    members = [cases.mlp(seed) for seed in range(2)]
    x, y = members[0].train
    apart = Examples(torch.stack([x, x.flip(0)]), torch.stack([y, y.flip(0)]), x_per_member=True, y_per_member=True)
    networks = [member.network for member in members]
    found = Evidence(members[0].subject(network=networks, initial=None, test=None, train=apart))["loss_pruning"]
    for index, member in enumerate(members):
        alone = Evidence(member.subject(initial=None, test=None))["loss_pruning"]
        assert torch.allclose(alone.random[0], found.random[index])
