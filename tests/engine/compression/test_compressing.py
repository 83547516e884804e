"""Networks in subspaces: what the projection is, what the modules compute, and that the message alone rebuilds the network."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.engine.compression import compressing, projections
from heldout.engine.compression.compressing import compressed
from heldout.engine.compression.messages import decoded
from heldout.engine.compression.projections import Projection
from heldout.engine.compression.subspaces import in_subspace, nearest
from heldout.engine.population import Population
from heldout.engine.subject import as_examples
from heldout.engine.training import Recipe, errors

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(120, 6, generator=DRAW)
Y = (X[:, 0] + X[:, 1] > 0).long()


def make() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


START = Population.of(make, 2, seed=0)


def test_columns_have_length_one_and_the_seed_decides() -> None:
    projection = Projection(20000, 3, seed=1)
    (matrix,) = projection.factors
    # a mean of 20,000 squares: six standard deviations are 0.06
    assert torch.allclose(matrix.square().sum(0), torch.ones(3), atol=0.06)
    assert torch.equal(projection(torch.tensor([1.0, 2.0, 0.0])), matrix[:, 0] + 2 * matrix[:, 1])
    assert torch.equal(Projection(20000, 3, seed=1).factors[0], matrix)
    assert not torch.equal(Projection(20000, 3, seed=2).factors[0], matrix)


def test_large_maps_are_products_of_two_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "DENSE_ENTRIES", 10)
    projection = Projection(95, 7, seed=0)
    one, two = projection.factors
    assert one.shape == two.shape == (10, 3)
    whole = torch.kron(one, two)[:95, :7]
    coordinates = torch.randn(7)
    torch.testing.assert_close(projection(coordinates), whole @ coordinates)


def test_a_subspace_computes_the_moved_network_in_evaluation_mode() -> None:
    projection = Projection(START.size, 4, seed=0)
    subspace = in_subspace(START, projection)
    coordinates = torch.randn(2, 4)
    moved = subspace.with_tensors({"coordinates": coordinates}, subspace.buffers)
    for member in range(2):
        network = START.member(member).eval()
        flat = nn.utils.parameters_to_vector(network.parameters()) + projection(coordinates[member])
        nn.utils.vector_to_parameters(flat.detach(), network.parameters())
        torch.testing.assert_close(moved(X)[member], network(X).detach())


@pytest.mark.parametrize("even", [True, False])
def test_gradients_go_straight_through_the_levels(even: bool) -> None:
    projection = Projection(START.size, 4, seed=0)
    module = in_subspace(START, projection, 3, even=even).member(0)
    with torch.no_grad():
        module.coordinates.copy_(torch.tensor([0.1, -0.9, 1.2, 0.4]))
    module(X).square().mean().backward()
    assert bool((module.coordinates.grad != 0).all())
    assert bool((module.codebook.grad != 0).any())
    snapped = (module.codebook * module.grid)[nearest(module.coordinates, module.codebook * module.grid)].detach()
    plain = in_subspace(START, projection).with_tensors(
        {"coordinates": snapped[None].expand(2, 4)}, in_subspace(START, projection).buffers
    )
    torch.testing.assert_close(module(X).detach(), plain(X)[0])


def test_the_message_alone_rebuilds_the_network_and_it_has_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressing, "STEPS", 400)
    monkeypatch.setattr(compressing, "TUNING_STEPS", 200)
    found = compressed(
        START,
        as_examples((X, Y), "data"),
        Recipe(batch_size=40),
        dimension=12,
        codebooks=((5, True), (5, False)),
        seed=3,
    )
    assert [one.levels for one in found] == [5, 5]
    for one in found:
        projection = Projection(START.size, 12, seed=3)
        for member, message in enumerate(one.messages):
            network = START.member(member).eval()
            coordinates = torch.from_numpy(decoded(message.bits)[0])
            flat = nn.utils.parameters_to_vector(network.parameters()) + projection(coordinates)
            nn.utils.vector_to_parameters(flat.detach(), network.parameters())
            torch.testing.assert_close(one.networks(X)[member], network(X).detach(), rtol=1e-4, atol=1e-4)
            assert len(np.unique(coordinates)) <= 5
        assert float(errors(one.networks, X, Y).max()) < 0.25
