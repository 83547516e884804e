"""Batch norm folded into the layer before it, which leaves the function as it is and makes weight norms mean something."""

from typing import Any

import torch
from torch import nn

from heldout.engine.population.calling import Inputs, placed
from heldout.engine.population.stack import Population
from heldout.engine.population.structure import structure_of
from heldout.engine.population.vectorising import vectorisable_kernels

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
FOLDABLE = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def fold_batch_norm(population: Population, example: Inputs) -> Population:
    r"""The same functions with every batch norm folded into the dense or convolutional layer that feeds it.

    With running mean mu, variance v, scale g and shift b, the layer's ``W x + c`` followed by the norm is
    ``W' x + c'`` with ``W' = W g / sqrt(v + eps)`` and ``c' = (c - mu) g / sqrt(v + eps) + b``
    (Jiang et al. 2020, section 1.1 of the digest).

    Which layer feeds which norm is seen from the data that flows, not from the order of registration. A norm that follows
    anything else (pre-activation networks) stays: in evaluation mode it is a fixed diagonal map.

    Args:
        population: The networks.
        example: One example, leaves ``[1, ...]`` (or two for networks that need it).

    Returns:
        The population itself if nothing can be folded, otherwise a new one of the same outputs.
    """
    example = placed(example, population.device, population.dtype)
    pairs = _pairs(population, example)
    if not pairs:
        return population
    folded = _folded(population, pairs)
    if _same_function(population, folded, example):
        return folded
    for pair in pairs:  # a raw output is used elsewhere too; the other norms fold all the same
        folded = _folded(population, [pair])
        population = folded if _same_function(population, folded, example) else population
    return population


def _folded(population: Population, pairs: list[tuple[str, str]]) -> Population:
    """Each (layer, norm) as one layer, an identity where the norm was."""
    template = structure_of(population.template)
    parameters, buffers = dict(population.parameters), dict(population.buffers)
    for layer_name, norm_name in pairs:
        layer: Any = template.get_submodule(layer_name)
        norm: Any = template.get_submodule(norm_name)
        weight = parameters[f"{layer_name}.weight"]
        mean, variance = buffers.pop(f"{norm_name}.running_mean"), buffers.pop(f"{norm_name}.running_var")
        buffers.pop(f"{norm_name}.num_batches_tracked", None)
        scale = parameters.pop(f"{norm_name}.weight", torch.ones_like(mean)) / torch.sqrt(variance + norm.eps)
        shift = parameters.pop(f"{norm_name}.bias", torch.zeros_like(mean))
        bias = parameters.get(f"{layer_name}.bias", torch.zeros_like(mean))
        parameters[f"{layer_name}.weight"] = weight * scale.reshape(*scale.shape, *[1] * (weight.ndim - 2))
        parameters[f"{layer_name}.bias"] = (bias - mean) * scale + shift
        layer.bias = nn.Parameter(parameters[f"{layer_name}.bias"][0])
        owner, _, attribute = norm_name.rpartition(".")
        setattr(template.get_submodule(owner), attribute, nn.Identity())
    # named_parameters of the template is the order in which layers are reported
    ordered = {name: parameters[name] for name, _ in template.named_parameters()}
    return population.with_tensors(ordered, buffers, template)


def _pairs(population: Population, example: Inputs) -> list[tuple[str, str]]:
    """Names of (layer, norm) where the norm's input is the layer's output, each called once and untied."""
    makers: dict[tuple[int, int], str] = {}  # an output's address and version: a ReLU in place makes another version
    pairs: list[tuple[str, str]] = []
    calls: dict[str, int] = {}
    kept: list[Any] = []  # keeps outputs alive, so that an address is not used twice

    def watch(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            calls[name] = calls.get(name, 0) + 1
            if isinstance(module, NORMS) and module.running_mean is not None and inputs:
                fed = (id(inputs[0]), inputs[0]._version)
                if fed in makers:
                    pairs.append((makers[fed], name))
            # A dense layer over sequences has its channels last, and the norm after it works along the sequence.
            if isinstance(module, FOLDABLE) and (output.ndim == 2 or not isinstance(module, nn.Linear)):
                makers[id(output), output._version] = name
                kept.append(output)

        return hook

    template = population.template
    # before the call: it may leave a plain tensor where a module stands under two names
    unique, every = dict(template.named_parameters()), [p for _, p in template.named_parameters(remove_duplicate=False)]
    tied = {id(one) for one in unique.values() if sum(other is one for other in every) > 1}
    hooks = [module.register_forward_hook(watch(name)) for name, module in template.named_modules()]
    try:
        # Tensors made in inference mode have no versions.
        with torch.inference_mode(False), torch.no_grad(), vectorisable_kernels():
            population.call_one(*population.tensors(0), example)
    finally:
        for hook in hooks:
            hook.remove()
    layers = [layer for layer, _ in pairs]
    return [
        (layer, norm)
        for layer, norm in pairs
        if calls[layer] == calls[norm] == layers.count(layer) == 1
        and f"{layer}.weight" in unique  # it is not where the weight is computed, as by weight norm
        and id(template.get_submodule(layer).weight) not in tied
    ]


def _same_function(before: Population, after: Population, example: Inputs) -> bool:
    """Whether folding kept the outputs of member 0: it does not when a layer's raw output is also used elsewhere."""
    with torch.no_grad(), vectorisable_kernels():
        old = before.call_one(*before.tensors(0), example)
        new = after.call_one(*after.tensors(0), example)
    return torch.allclose(old, new, rtol=1e-3, atol=1e-4 * float(old.abs().max()) + 1e-6)
