"""Ghost batch norm."""

import copy

import pytest
import torch
import torch.nn.functional as F
from tests.interventions.steps import X, Y, close, first_step, goes_through, gradients, normed
from torch import nn

from heldout.interventions.ghost_batch_norm import ghost_batch_norm
from heldout.records import Refusal


def test_it_is_batch_norm_of_each_part_in_turn() -> None:
    for layer, x in ((nn.BatchNorm1d(6), X), (nn.BatchNorm2d(2), X.view(36, 2, 3, 1))):
        plain = layer.double().train()
        with torch.no_grad():
            plain.weight.copy_(torch.linspace(0.5, 2, len(plain.weight)))
        ghost = ghost_batch_norm(size=9).network(copy.deepcopy(plain))
        assert isinstance(ghost, nn.modules.batchnorm._BatchNorm)
        parts = torch.cat([plain(part) for part in torch.split(x, 9)])
        assert torch.allclose(ghost(x), parts, atol=1e-12)
        for name in ("running_mean", "running_var"):
            assert torch.allclose(getattr(ghost, name), getattr(plain, name), atol=1e-12)
        assert torch.equal(
            ghost.eval()(x), F.batch_norm(x, plain.running_mean, plain.running_var, plain.weight, plain.bias)
        ) or (torch.allclose(ghost.eval()(x), plain.eval()(x), atol=1e-12))


def test_a_step_is_the_step_of_the_parts() -> None:
    network, moved = first_step(ghost_batch_norm(size=12), normed)
    body, norm, rest = network[0], network[1], network[2:]  # type: ignore[index]
    loss = F.cross_entropy(rest(torch.cat([norm(part) for part in body(X).split(12)])), Y)
    close(moved, gradients(loss, network))


def test_it_goes_through() -> None:
    goes_through(ghost_batch_norm(size=4), normed)


def test_without_affine_weights_and_with_a_small_batch() -> None:
    layer = ghost_batch_norm(size=9).network(nn.BatchNorm1d(6, affine=False).double()).train()
    assert torch.allclose(layer(X)[:9].mean(0), torch.zeros(6).double(), atol=1e-12)
    assert torch.allclose(layer(X[:5]), nn.BatchNorm1d(6, affine=False).double().train()(X[:5]), atol=1e-12)


def test_one_example_has_no_variance() -> None:
    with pytest.raises(Refusal, match="size"):
        ghost_batch_norm(size=1)


def test_a_batch_that_is_no_multiple_is_refused() -> None:
    layer = ghost_batch_norm(size=10).network(nn.BatchNorm1d(6).double()).train()
    with pytest.raises(Refusal, match="batch_size"):
        layer(X)
