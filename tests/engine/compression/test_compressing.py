"""Networks in subspaces: what the projection is, what the modules compute, and that the message alone rebuilds the network."""

import numpy as np
import pytest
import torch
from torch import nn

from heldout.engine.compression import compressing
from heldout.engine.compression.choosing import KINDS, projection_of
from heldout.engine.compression.compressing import compressed
from heldout.engine.compression.messages import decoded
from heldout.engine.compression.projections import dense
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


def test_a_subspace_computes_the_moved_network_in_evaluation_mode() -> None:
    projection = dense(START.size, 4, seed=0)
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
    projection = dense(START.size, 4, seed=0)
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


@pytest.mark.parametrize("kind", ["automatic", "sparse", "kronecker-remainder", "film+automatic"])
def test_the_message_alone_rebuilds_the_network_and_it_has_learned(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(compressing, "STEPS", 400)
    monkeypatch.setattr(compressing, "TUNING_STEPS", 200)
    found = compressed(
        START,
        as_examples((X, Y), "data"),
        Recipe(batch_size=40),
        dimension=12,
        codebooks=((5, True), (5, False)),
        seed=3,
        kind=kind,
    )
    assert [one.kind for one in found] == [kind, kind]
    assert [one.levels for one in found] == [5, 5]
    for one in found:
        for member, message in enumerate(one.messages):
            projection = projection_of(KINDS[decoded(message.bits).kind], START, 12, seed=3)
            network = START.member(member).eval()
            coordinates = torch.from_numpy(decoded(message.bits).coordinates)
            flat = nn.utils.parameters_to_vector(network.parameters()) + projection(coordinates)
            nn.utils.vector_to_parameters(flat.detach(), network.parameters())
            torch.testing.assert_close(one.networks(X)[member], network(X).detach(), rtol=1e-4, atol=1e-4)
            assert len(np.unique(coordinates)) <= 5
        assert float(errors(one.networks, X, Y).max()) < 0.35  # guessing: 0.5
