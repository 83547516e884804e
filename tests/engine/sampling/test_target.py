"""The law of the chains against its definition, with and without a change of variables."""

from dataclasses import replace

import pytest
import torch
from tests.oracles.posteriors import quadratic, target

from heldout.engine.sampling.target import Target, chain_numbers
from heldout.engine.sampling.whitening import Whitening

H = torch.tensor([1.0, 5.0], dtype=torch.float64)


def law(whitened: bool) -> Target:
    plain = target(quadratic((1.0, 5.0), members=2), nbeta=10.0, localisation=2.0, chains=3)
    plain.field.centres[1] += 0.5
    if not whitened:
        return plain
    directions = torch.tensor([[0.6], [0.8]], dtype=torch.float64).expand(2, 2, 1)
    precisions, gamma = torch.full((2, 1), 8.0, dtype=torch.float64), plain.localisation
    return replace(plain, whitening=Whitening(directions, precisions, gamma))


@pytest.mark.parametrize("whitened", [False, True])
def test_energy_gradient_and_hessian_are_those_of_the_definition(whitened: bool) -> None:
    own = law(whitened)
    z = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    away = own.displacement(z)
    weights = own.field.centres[own.of_chains(own.members)] + away
    value = 10 * 0.5 * (H * weights.square()).sum(1) + 0.5 * 2 * away.square().sum(1)
    (gradient,) = torch.autograd.grad(value.sum(), z, create_graph=True)
    direction = torch.ones(6, 2, dtype=torch.float64)
    (product,) = torch.autograd.grad((gradient * direction).sum(), z)
    found = own.energy(z.detach())
    assert torch.allclose(found.value, value.detach())
    assert torch.allclose(found.gradient, gradient.detach())
    assert torch.allclose(own.hessian_product(z.detach(), direction), product)
    assert torch.allclose(own.position(away.detach()), z.detach())
    assert torch.allclose(own.weights(z.detach()), weights.detach())


def test_every_chain_begins_at_its_centre() -> None:
    own = law(True)
    assert (own.weights(own.start) == own.field.centres[own.members.repeat_interleave(3)]).all()


def test_chains_of_some_groups_and_some_chains() -> None:
    own = law(True)
    twice = own.subset(torch.tensor([1, 1]))
    assert twice.groups == 2
    assert twice.members.tolist() == [1, 1]
    assert twice.number_of.tolist() == [0, 1, 2, 0, 1, 2]
    few = own.at(torch.tensor([4]))
    z = torch.ones(1, 2, dtype=torch.float64)
    assert torch.allclose(few.energy(z).value, own.energy(z.expand(6, 2)).value[4])
    assert chain_numbers(torch.tensor([1, 0]), 3).tolist() == [3, 4, 5, 0, 1, 2]
