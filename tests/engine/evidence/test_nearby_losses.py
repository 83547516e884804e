"""Losses near the networks: each row is its own network on its own batch, with gradients in the scaled coordinates."""

import copy

import numpy as np
import pytest
import torch
from tests import cases
from torch import Tensor, nn

from heldout.engine.evidence.nearby_losses import Rows, batches_of, direction, losses_near, rows_of, unit_logits
from heldout.engine.subject import Examples, Subject


def moved(network: nn.Module, step: Tensor) -> nn.Module:
    """A float64 copy with a step added to all its parameters."""
    other, first = copy.deepcopy(network).double().eval(), 0
    with torch.no_grad():
        for parameter in other.parameters():
            parameter += step[first : first + parameter.numel()].reshape(parameter.shape)
            first += parameter.numel()
    return other


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("normalised", [False, True])
def test_rows_against_copies_one_by_one(adaptive: bool, normalised: bool) -> None:
    members = [cases.mlp(seed=seed) for seed in range(2)]
    subject = cases.together(members)
    batches = torch.stack([torch.arange(20), torch.arange(30, 50)])
    row = Rows(torch.tensor([0, 1, 1]), torch.tensor([1, 0, 1]), torch.zeros(3, dtype=torch.long))
    place = 0.1 * torch.randn(
        3, subject.population.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    near = losses_near(subject, row, batches, adaptive=adaptive, normalised=normalised)
    losses, gradients = near(place, True)
    assert near(place, False)[1].numel() == 0
    torch.testing.assert_close(near(place, False)[0], losses)
    x, y = members[0].train
    for index, (member, batch) in enumerate(((0, 1), (1, 0), (1, 1))):
        weights = torch.cat([p.detach().double().flatten() for p in members[member].network.parameters()])
        scale = weights.abs() if adaptive else torch.ones_like(weights)
        network, few = moved(members[member].network, scale * place[index]), batches[batch]
        with torch.enable_grad():
            z = network(x[few].double())
            z = z - z.mean(1, keepdim=True)
            z = z / z.norm(dim=1, keepdim=True) if normalised else z
            loss = nn.functional.cross_entropy(z, y[few])
            own = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(network.parameters()))])
        assert losses[index].item() == pytest.approx(loss.item(), rel=1e-5)
        torch.testing.assert_close(gradients[index], scale * own, rtol=1e-3, atol=1e-6)


def test_inputs_and_labels_of_their_own() -> None:
    case = cases.linear()
    x, y = case.train
    train = Examples(torch.stack([x, -x]), torch.stack([y, y.roll(1)]), x_per_member=True, y_per_member=True)
    subject = Subject([case.network, case.network], train)
    batches = torch.arange(60).reshape(1, 60)
    row = next(rows_of(subject, batches, draws=1))
    nowhere = torch.zeros(2, subject.population.size, dtype=torch.float64)
    losses, _ = losses_near(subject, row, batches, adaptive=False, normalised=False)(nowhere, False)
    for index, pair in enumerate(((x, y), (-x, y.roll(1)))):
        expected = nn.functional.cross_entropy(case.network(pair[0]), pair[1]).item()
        assert losses[index].item() == pytest.approx(expected, rel=1e-5)


def test_all_rows_come_once_however_many_fit() -> None:
    batches = torch.arange(40).reshape(4, 10)
    for memory, chunks in ((32 * 2**20, 1), (20_000, 4)):
        subject = cases.together([cases.mlp(seed=seed) for seed in range(3)], memory=memory)
        parts = list(rows_of(subject, batches, draws=2))
        assert len(parts) >= chunks
        rows = torch.cat([torch.stack(part) for part in parts], dim=1).T.tolist()
        assert rows == [[m, s, d] for m in range(3) for s in range(4) for d in range(2)]


def test_batches_are_of_128_and_at_most_eight() -> None:
    for examples, shape in ((60, (1, 60)), (128, (1, 128)), (300, (2, 128)), (5000, (8, 128))):
        batches = batches_of(examples, 0)
        assert tuple(batches.shape) == shape
        assert len(batches.unique()) == batches.numel()
        assert batches.max() < examples
    assert not torch.equal(batches_of(300, 0), batches_of(300, 1))


def test_unit_logits_have_length_one_whatever_their_scale() -> None:
    z = torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = unit_logits(z)
    np.testing.assert_allclose(unit.norm(dim=1), 1)
    np.testing.assert_allclose(unit.sum(1), 0, atol=1e-12)
    torch.testing.assert_close(unit_logits(3 * z + 5), unit)
    assert torch.equal(unit_logits(torch.ones(1, 4)), torch.zeros(1, 4))


def test_directions_are_uniform_or_normal() -> None:
    population = cases.mlp().subject().population
    uniform, normal = (direction(population, 0, "a", uniform=kind) for kind in (True, False))
    assert uniform.abs().max() <= 1
    assert uniform.var().item() == pytest.approx(1 / 3, abs=0.1)
    assert normal.abs().max() > 2
    assert not torch.equal(normal, direction(population, 0, "b", uniform=False))
