"""Nested subspaces: each dimension's network is what a subspace of that dimension alone would be."""

import torch
from tests import cases

from heldout.engine.compression.nested import nested_subspaces
from heldout.engine.compression.projections import dense, sparse
from heldout.engine.population import Population


def test_only_the_first_coordinates_move_the_weights() -> None:
    start = Population([cases.mlp(seed).network for seed in (0, 1)])
    projection = dense(start.size, 4, seed=3)
    stack = nested_subspaces(start, projection, (1, 2, 4))
    coordinates = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    moved = stack.with_tensors({"coordinates": coordinates}, stack.buffers)
    x, _ = cases.mlp().train
    for place in range(6):
        member, used = place // 3, (1, 2, 4)[place % 3]
        vector = projection.tensors[0][:, :used] @ coordinates[place, :used]
        own, at = {}, 0
        for name, weight in start.parameters.items():
            size = weight[0].numel()
            own[name] = weight[member] + vector[at : at + size].reshape(weight.shape[1:])
            at += size
        expected = start.call_one(own, start.tensors(member)[1], x)
        torch.testing.assert_close(moved(x)[place], expected, rtol=1e-4, atol=1e-5)


def test_they_begin_at_the_start_in_its_precision() -> None:
    case = cases.cnn()
    start = Population(case.network)
    double = start.with_tensors(
        {name: weight.double() for name, weight in start.parameters.items()},
        {name: b.double() if b.is_floating_point() else b for name, b in start.buffers.items()},
    )
    stack = nested_subspaces(double, sparse(start.size, 8, seed=0), (2, 8))
    assert stack.dtype == torch.float64
    x = case.train[0]
    torch.testing.assert_close(stack(x), double(x).expand(2, -1, -1))
