"""Networks of dense layers, whose pre-activations can be drawn instead of their weights: exact, one draw for every example."""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heldout.engine.population import Inputs, Population
from heldout.engine.population.calling import arguments_for, only_tensor, placed
from heldout.engine.population.structure import structure_of

#: Keeps the square root's derivative finite where an input is zero; far below the last place of any variance that matters.
TINY = 1e-30


class DrawnLinear(nn.Module):
    """A dense layer with normal weights, whose outputs are drawn directly (Kingma, Salimans and Welling 2015).

    For an input x the outputs of ``W x + b`` are independent normals of means ``E[W] x + E[b]`` and variances
    ``Var[W] x^2 + Var[b]``, whatever the example beside it draws. Weights, scales and noise are put in by ``functional_call``.

    Args:
        layer: The dense layer that it stands for.
    """

    weight_scale: Tensor
    bias_scale: Tensor
    noise: Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        self.register_buffer("weight_scale", torch.zeros(0))
        self.register_buffer("bias_scale", torch.zeros(0))
        self.register_buffer("noise", torch.zeros(0))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs with the noise that was put in.

        Args:
            x: ``[N, in]``.

        Returns:
            ``[N, out]``.
        """
        bias = None if self.bias is None else self.bias_scale.square()
        variance = F.linear(x.square(), self.weight_scale.square(), bias)
        drawn: Tensor = F.linear(x, self.weight, self.bias) + (variance + TINY).sqrt() * self.noise
        return drawn


def dense_layers(population: Population, example: Inputs) -> dict[str, int]:
    """The dense layers of a network that consists of them alone: every weight in one, each called once, on vectors.

    Args:
        population: The networks.
        example: One example, leaves ``[1, ...]``.

    Returns:
        Name -> width of the output; empty where pre-activations cannot stand for weights (convolutions, tied or shared
        weights, sequences, a weight that is read without its layer).
    """
    template = structure_of(population.template)
    layers = {name: module for name, module in template.named_modules() if type(module) is nn.Linear}
    owned = {f"{name}.{kind}".lstrip(".") for name, layer in layers.items() for kind, _ in layer.named_parameters()}
    tied = len({id(p) for layer in layers.values() for p in layer.parameters()}) < len(owned)
    if not layers or tied or owned != set(population.parameters):
        return {}
    calls: dict[str, list[int]] = {name: [] for name in layers}
    for name, layer in layers.items():
        layer.register_forward_hook(partial(_replaced, calls[name]))
    unread = {name: torch.full_like(tensor[0], math.nan) for name, tensor in population.parameters.items()}
    arguments, keywords = arguments_for(template, placed(example, population.device, population.dtype))
    try:
        with torch.no_grad():
            tensors = {**unread, **population.tensors(0)[1]}
            output = only_tensor(torch.func.functional_call(template, (tensors,), arguments, keywords))
    except Exception:  # whatever a stranger's module does to weights that are no numbers: its weights are drawn instead
        return {}
    once = all(seen == [2] for seen in calls.values())
    return (
        {name: layer.out_features for name, layer in layers.items()} if once and bool(output.isfinite().all()) else {}
    )


def _replaced(calls: list[int], _module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
    calls.append(given[0].ndim)
    return torch.ones_like(output)  # what follows must not depend on weights in any other way


def drawn_template(population: Population, layers: dict[str, int]) -> nn.Module:
    """The network with drawn layers in the place of dense ones.

    Args:
        population: The networks.
        layers: From :func:`dense_layers`.

    Returns:
        A module to be called with ``functional_call`` and :func:`call_tensors`.
    """
    template = structure_of(population.template)
    if "" in layers:  # the network is one dense layer
        return DrawnLinear(template).eval()  # type: ignore[arg-type]
    for name in layers:
        layer = template.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        template.set_submodule(name, DrawnLinear(layer))
    return template.eval()


def noise_of(layers: dict[str, int], examples: int, generator: torch.Generator, like: Tensor) -> dict[str, Tensor]:
    """Standard normal noise for every layer and example, under the names that the drawn network has for it.

    Args:
        layers: Name -> width.
        examples: N.
        generator: Where it comes from.
        like: Its device and precision.

    Returns:
        Name -> ``[N, out]``.
    """
    return {
        f"{name}.noise".lstrip("."): torch.randn(examples, width, generator=generator).to(like)
        for name, width in layers.items()
    }
