"""Norms of every example's gradient without the gradients: from what each layer receives and what flows back to it.

For a dense layer the gradient of example i is the outer product ``delta_i a_i^T``, whose squared norm is
``|delta_i|^2 |a_i|^2`` (Goodfellow 2015, arXiv 1510.01799). Layers with positions (sequences, convolutions) sum over them.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import grad, vmap

from heldout.engine.population import Inputs, Population
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Loss

Tensors = dict[str, Tensor]
Rule = Callable[[Any, Tensors, Tensor, Tensor], Tensor]  # layer, its buffers, received, flowing back -> [m, n]


def _positions(tensor: Tensor) -> Tensor:
    """``[m, n, ..., F]`` with all axes between made one, ``[m, n, T, F]``."""
    return tensor.unsqueeze(2) if tensor.ndim == 3 else tensor.flatten(2, -2)


def _outer(received: Tensor, back: Tensor) -> Tensor:
    """Squared norm of ``sum_t delta_t a_t^T``: of the products, or of the two Gram matrices where those are smaller."""
    length, width, height = received.shape[-2], received.shape[-1], back.shape[-1]
    if length == 1:
        return received.double().square().sum((-1, -2)) * back.double().square().sum((-1, -2))
    if length * (width + height) < width * height:
        return ((received @ received.mT).double() * (back @ back.mT).double()).sum((-1, -2))
    return (back.mT @ received).double().square().sum((-1, -2))


def _shift(layer: Any, back: Tensor) -> Tensor | float:
    """Squared norm of the bias's gradient; back is ``[m, n, T, F]``."""
    return 0.0 if layer.bias is None else back.double().sum(2).square().sum(-1)


def _dense(layer: Any, _buffers: Tensors, received: Tensor, back: Tensor) -> Tensor:
    a, delta = _positions(received), _positions(back)
    return _outer(a, delta) + _shift(layer, delta)


def _convolution(layer: Any, _buffers: Tensors, received: Tensor, back: Tensor) -> Tensor:
    patches = F.unfold(received.flatten(0, 1), layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    a = patches.mT.reshape(*received.shape[:2], *patches.mT.shape[1:])
    delta = back.flatten(3).mT
    return _outer(a, delta) + _shift(layer, delta)


def _batch_norm(layer: Any, buffers: Tensors, received: Tensor, back: Tensor) -> Tensor:
    shape = (-1, 1, received.shape[2], *[1] * (received.ndim - 3))
    scale = (buffers["running_var"] + layer.eps).rsqrt().reshape(shape)
    standard = (received - buffers["running_mean"].reshape(shape)) * scale
    of_scale, of_shift = ((part.flatten(3) if part.ndim > 3 else part.unsqueeze(3)) for part in (back * standard, back))
    return of_scale.double().sum(3).square().sum(2) + of_shift.double().sum(3).square().sum(2)


def _layer_norm(layer: Any, _buffers: Tensors, received: Tensor, back: Tensor) -> Tensor:
    standard = F.layer_norm(received, layer.normalized_shape, eps=layer.eps)
    width = math.prod(layer.normalized_shape)
    of_scale, of_shift = (part.reshape(*part.shape[:2], -1, width) for part in (back * standard, back))
    shift = 0.0 if layer.bias is None else of_shift.double().sum(2).square().sum(2)
    return of_scale.double().sum(2).square().sum(2) + shift


def _rule(layer: nn.Module) -> Rule | None:
    """The rule of a layer, or None where its gradient must be formed."""
    if type(layer) is nn.Linear:
        return _dense
    if type(layer) is nn.Conv2d and layer.groups == 1 and layer.padding_mode == "zeros" and layer.padding != "same":
        return _convolution
    if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.running_mean is not None and layer.affine:
        return _batch_norm
    if type(layer) is nn.LayerNorm and layer.elementwise_affine:
        return _layer_norm
    return None


class LayerGradients:
    """Sums and norms of gradients for networks whose every parameter belongs to a layer with a rule, called once.

    Args:
        population: The networks.
        loss: One loss an example.
        example: One example, leaves ``[1, ...]``.
    """

    def __init__(self, population: Population, loss: Loss, example: Inputs) -> None:
        self._population, self._loss = population, loss
        template = population.template
        owners = [name for name, module in template.named_modules() if list(module.parameters(recurse=False))]
        self._layers = {name: template.get_submodule(name) for name in owners}
        self._rules = {name: _rule(layer) for name, layer in self._layers.items()}
        unique = len(dict(template.named_parameters())) == len(dict(template.named_parameters(remove_duplicate=False)))
        self.possible = unique and all(self._rules.values()) and self._probe(example)

    def _probe(self, example: Inputs) -> bool:
        """Learn the layers' output shapes; False unless each layer is called exactly once with tensors."""
        calls: list[str] = []
        self._shapes: dict[str, torch.Size] = {}

        def note(name: str, received: Any, output: Any) -> None:
            calls.append(name)
            self._shapes[name] = output.shape[1:]

        with torch.no_grad(), vectorisable_kernels(), self._watched(note):
            self._population.call_one(*self._population.tensors(0), example)
        return sorted(calls) == sorted(self._layers)

    def __call__(
        self, parameters: Tensors, buffers: Tensors, x: Inputs, y: Tensor, per_member: bool
    ) -> tuple[Tensors, Tensors]:
        """Summed gradients and squared norms.

        Args:
            parameters: Name -> ``[m, ...]``.
            buffers: Name -> ``[m, ...]``.
            x: Leaves ``[n, ...]``, or ``[m, n, ...]`` where ``per_member``.
            y: Labels ``[m, n, ...]``.
            per_member: Whether every member has inputs of its own.

        Returns:
            Name -> sum over examples ``[m, ...]``, and module -> squared norms ``[m, n]``, float64.
        """
        example = next(iter(parameters.values()))
        taps = {name: example.new_zeros(y.shape[1], *shape) for name, shape in self._shapes.items()}
        mapped = vmap(
            grad(self._total, argnums=(0, 1), has_aux=True), in_dims=(0, None, 0, 0 if per_member else None, 0)
        )
        with torch.enable_grad(), vectorisable_kernels():
            (sums, back), received = mapped(parameters, taps, buffers, x, y)
        squares: Tensors = {}
        for name, rule in self._rules.items():
            assert rule is not None
            own = {
                key.removeprefix(f"{name}."): buffer for key, buffer in buffers.items() if key.startswith(f"{name}.")
            }
            squares[name] = rule(self._layers[name], own, received[name], back[name])
        return sums, squares

    def _total(
        self, parameters: Tensors, taps: Tensors, buffers: Tensors, x: Inputs, y: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Summed loss with a zero added to every layer's output: the gradient there is what flows back to the layer."""
        received: Tensors = {}

        def tap(name: str, inputs: Any, output: Tensor) -> Tensor:
            received[name] = inputs[0]
            return output + taps[name]

        with self._watched(tap):
            outputs = self._population.call_one(parameters, buffers, x)
        return self._loss.per_example(outputs.double(), y).sum(), received

    @contextmanager
    def _watched(self, hook: Callable[[str, Any, Any], Any]) -> Iterator[None]:
        handles = [
            layer.register_forward_hook(lambda _layer, inputs, output, name=name: hook(name, inputs, output))
            for name, layer in self._layers.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
