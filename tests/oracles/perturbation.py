"""Perturbed networks in float64, one network and one draw at a time, and closed forms for linear models."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.stats import norm
from torch import Tensor, nn


def error_of_one_logit(weight: Any, bias: float, x: Any, y: Any, variance: Callable[[Any], Any]) -> float:
    """Expected 0-1 error of sign(w x + b) under independent Gaussian noise: mean_i Phi(-margin_i / sd_i)."""
    margin = (2 * y - 1) * (x @ weight + bias)
    spread = np.sqrt(x**2 @ variance(weight) + variance(np.array([bias]))[0])
    return float(norm.cdf(-margin / spread).mean())


def crossing(error: Callable[[float], float], low: float, high: float, target: float = 0.1) -> float:
    """Where the error rises through the target."""
    return float(brentq(lambda sigma: error(sigma) - target, low, high, xtol=1e-12))


def folded(network: nn.Sequential) -> nn.Sequential:
    """Float64 copy of a sequence with every batch norm multiplied into the convolution right before it."""
    layers: list[nn.Module] = []
    for layer in copy.deepcopy(network).double().eval():
        if isinstance(layer, nn.BatchNorm2d):
            before: Any = layers[-1]
            gain = layer.weight / (layer.running_var + layer.eps).sqrt()
            bias = torch.zeros_like(gain) if before.bias is None else before.bias
            shift = layer.bias + gain * (bias - layer.running_mean)
            before.weight = nn.Parameter((before.weight * gain[:, None, None, None]).detach())
            before.bias = nn.Parameter(shift.detach())
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def noisy(network: nn.Module, deviation: Callable[[Tensor], Tensor], generator: torch.Generator) -> nn.Module:
    """A float64 copy with Gaussian noise of these standard deviations added to every parameter."""
    moved = copy.deepcopy(network).double().eval()
    with torch.no_grad():
        for parameter in moved.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter += deviation(parameter) * noise
    return moved


def mean_over_noise(
    network: nn.Module,
    deviation: Callable[[Tensor], Tensor],
    of: Callable[[nn.Module], float],
    *,
    draws: int,
    seed: int = 0,
) -> tuple[float, float]:
    """Mean and standard error over draws of a number of the noisy network."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        values = np.array([of(noisy(network, deviation, generator)) for _ in range(draws)])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(draws))


def error(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """0-1 error."""
    return float((network(x.double()).argmax(-1) != y).double().mean())


def mean_loss(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Mean cross-entropy."""
    scores = network(x.double()).detach()
    return float((scores.logsumexp(-1) - scores[torch.arange(len(y)), y]).mean())


def ascended(network: nn.Module, loss: Callable[[nn.Module], Tensor], rho: float, eta: float) -> float:
    """Rise of the loss after w += rho T^2 g / ||T g||, T = |w| + eta (Kwon et al. 2021), by autograd in float64."""
    moved = copy.deepcopy(network).double().eval()
    with torch.enable_grad():
        before = loss(moved)
        gradients = torch.autograd.grad(before, list(moved.parameters()))
    with torch.no_grad():
        scales = [parameter.abs() + eta for parameter in moved.parameters()]
        length = sum((scale * g).square().sum() for scale, g in zip(scales, gradients, strict=True)) ** 0.5
        for parameter, scale, gradient in zip(moved.parameters(), scales, gradients, strict=True):
            parameter += rho * scale**2 * gradient / length
        return float(loss(moved) - before)


def sum_over_paths(matrices: list[np.ndarray], biases: list[np.ndarray]) -> float:
    """Enumerate every path from an input or a bias to an output, and add the products of squared weights on it."""
    total = 0.0
    sizes = [matrices[0].shape[1], *(len(matrix) for matrix in matrices)]
    for start in range(len(matrices) + 1):  # 0: from an input; k: from a bias of layer k
        for units in itertools.product(*(range(size) for size in sizes[start:])):
            product = 1.0 if start == 0 else biases[start - 1][units[0]] ** 2
            for layer, (source, sink) in enumerate(itertools.pairwise(units), start):
                product *= matrices[layer][sink, source] ** 2
            total += product
    return total


def convolution_as_matrix(weight: np.ndarray, side: int, padding: int) -> np.ndarray:
    """The dense matrix of a convolution of stride 1 on ``[in, side, side]``, entry by entry."""
    out, inner, kernel, _ = weight.shape
    last = side + 2 * padding - kernel + 1
    matrix = np.zeros((out * last * last, inner * side * side))
    for o, row, column, i, dr, dc in itertools.product(
        range(out), range(last), range(last), range(inner), range(kernel), range(kernel)
    ):
        r, c = row + dr - padding, column + dc - padding
        if 0 <= r < side and 0 <= c < side:
            matrix[(o * last + row) * last + column, (i * side + r) * side + c] += weight[o, i, dr, dc]
    return matrix


def errors_when_pruned(network: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """0-1 error with the k largest weights kept, for every k from 0 to all of them."""
    whole = copy.deepcopy(network).double().eval()
    weights = [parameter for parameter in whole.parameters() if parameter.ndim > 1]
    entries = sorted(
        (
            (-abs(float(value)), layer, index)
            for layer, w in enumerate(weights)
            for index, value in enumerate(w.detach().flatten())
        ),
    )
    kept = [torch.zeros_like(weight).flatten() for weight in weights]
    errors = []
    with torch.no_grad():
        values = [weight.detach().clone().flatten() for weight in weights]
        for k in range(len(entries) + 1):
            if k:
                _, layer, index = entries[k - 1]
                kept[layer][index] = values[layer][index]
            for weight, flat in zip(weights, kept, strict=True):
                weight.copy_(flat.reshape(weight.shape))
            errors.append(error(whole, x, y))
    return np.array(errors)
