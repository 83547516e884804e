"""Twins: networks that compute the same function, or the same up to what an invariance says, built without heldout's code."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import torch
from tests import cases
from tests.cases import Case
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heldout.engine.evidence.resolving import Evidence

Change = Callable[[nn.Sequential, torch.Generator], None]


def rescaled(network: nn.Sequential, generator: torch.Generator) -> None:
    """ReLU layers: weights and bias times a, next weights over a; a from 1/4 to 4."""
    dense = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, following in pairwise(dense):
        a = 4.0 ** (2.0 * torch.rand((), generator=generator) - 1.0)
        layer.weight.mul_(a)
        layer.bias.mul_(a)
        following.weight.div_(a)


def folded(network: nn.Sequential, _generator: torch.Generator) -> None:
    """Every batch norm fused into the convolution before it, by PyTorch's own function."""
    for index, layer in enumerate(network):
        if isinstance(layer, nn.BatchNorm2d):
            before = network[index - 1]
            assert isinstance(before, nn.Conv2d)
            network[index - 1] = fuse_conv_bn_eval(before, layer)
            network[index] = nn.Identity()


def permuted(network: nn.Sequential, generator: torch.Generator) -> None:
    """Hidden units, or channels with their batch norm, in another order."""
    order: Tensor | None = None
    *hidden, last = [layer for layer in network if isinstance(layer, (nn.Linear, nn.Conv2d, nn.BatchNorm2d))]
    for layer in hidden:
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                assert tensor is not None
                tensor.copy_(tensor[order])
            continue
        _take_inputs(layer, order)
        order = torch.randperm(layer.weight.shape[0], generator=generator)
        layer.weight.copy_(layer.weight[order])
        if layer.bias is not None:
            layer.bias.copy_(layer.bias[order])
    _take_inputs(last, order)


def shifted(network: nn.Sequential, generator: torch.Generator) -> None:
    """One constant added to every logit."""
    last = network[-1]
    assert isinstance(last, nn.Linear)
    last.bias.add_(4.0 * torch.rand((), generator=generator) - 2.0)


def scaled(network: nn.Sequential, generator: torch.Generator) -> None:
    """Every logit times a factor from 1/2 to 2."""
    last = network[-1]
    assert isinstance(last, nn.Linear)
    factor = 2.0 ** (2.0 * torch.rand((), generator=generator) - 1.0)
    last.weight.mul_(factor)
    last.bias.mul_(factor)


def _take_inputs(layer: nn.Module, order: Tensor | None) -> None:
    """The layer's inputs in a new order; a dense layer after a flattened map has several inputs a channel."""
    if order is not None:
        weight = layer.weight
        assert isinstance(weight, Tensor)
        parts = weight.reshape(weight.shape[0], len(order), -1, *weight.shape[2:])
        weight.copy_(parts[:, order].reshape(weight.shape))


CHANGES: dict[str, Change] = {
    "layer-rescaling": rescaled,
    "batch-norm-folding": folded,
    "neuron-permutation": permuted,
    "logit-shift": shifted,
    "logit-scale": scaled,
}
#: The case on which each invariance is tried: a rescaling of ReLU layers needs layers without batch norm.
TRIED_ON: dict[str, tuple[str, ...]] = {
    "layer-rescaling": ("mlp",),
    "batch-norm-folding": ("cnn",),
    "neuron-permutation": ("mlp", "cnn"),
    "logit-shift": ("mlp", "cnn"),
    "logit-scale": ("mlp", "cnn"),
    "example-order": ("mlp", "cnn"),
}


def original(case: str) -> Case:
    """The case itself."""
    one: Case = getattr(cases, case)()
    return one


def twin(case: str, invariance: str, draw: int) -> Case:
    """The case after a random change of this kind; the network at initialisation is changed in the same way."""
    one = original(case)
    if invariance == "example-order":
        x, y = one.train
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(draw))
        return replace(one, train=(x[order], y[order]))
    changed = []
    for network in (one.network, one.initial):
        assert isinstance(network, nn.Sequential)
        network = copy.deepcopy(network)
        with torch.no_grad():
            CHANGES[invariance](network, torch.Generator().manual_seed(draw))
        changed.append(network.eval())
    return replace(one, network=changed[0], initial=changed[1])


def evidence_of_twin(case: str, invariance: str, draw: int) -> Evidence:
    """Its evidence; folding has nothing random in it, so that all its draws share one."""
    return _evidence_of_twin(case, invariance, 0 if invariance == "batch-norm-folding" else draw)


@cache
def _evidence_of_twin(case: str, invariance: str, draw: int) -> Evidence:
    return Evidence(twin(case, invariance, draw).subject())
