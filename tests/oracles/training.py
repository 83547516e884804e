"""The textbook training loop: one network, torch.optim, batches given from outside."""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OPTIMIZERS = {
    "sgd": lambda parameters, **k: torch.optim.SGD(parameters, **k),
    "gradient-descent": lambda parameters, **k: torch.optim.SGD(parameters, **k),
    "adam": lambda parameters, **k: torch.optim.Adam(parameters, **k),
    "adamw": lambda parameters, **k: torch.optim.AdamW(parameters, **k),
}


def trained(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    batches: Sequence[Tensor],
    optimizer: str,
    rates: Sequence[float],
    **settings: float,
) -> nn.Module:
    """Train a copy.

    Args:
        network: Left as it is.
        x: Inputs.
        y: Classes, or targets of a squared error where floating.
        batches: Indices of each step.
        optimizer: By heldout's name.
        rates: Learning rate of each step.
        **settings: Of the optimiser.

    Returns:
        The trained network in evaluation mode.
    """
    module = copy.deepcopy(network).train()
    rule = OPTIMIZERS[optimizer](module.parameters(), lr=rates[0], **settings)
    for index, rate in zip(batches, rates, strict=True):
        for group in rule.param_groups:
            group["lr"] = rate
        rule.zero_grad()
        output = module(x[index])
        loss = (output - y[index]).square().mean() if y.is_floating_point() else F.cross_entropy(output, y[index])
        loss.backward()
        rule.step()
    return module.eval()


def sharpness_aware(
    network: nn.Module, x: Tensor, y: Tensor, batches: Sequence[Tensor], lr: float, rho: float
) -> nn.Module:
    """SAM on plain SGD, as in Foret et al. 2021, algorithm 1."""
    module = copy.deepcopy(network).train()
    for index in batches:
        found = torch.autograd.grad(F.cross_entropy(module(x[index]), y[index]), list(module.parameters()))
        norm = torch.sqrt(torch.stack([g.square().sum() for g in found]).sum())
        before = [p.detach().clone() for p in module.parameters()]
        with torch.no_grad():
            for p, g in zip(module.parameters(), found, strict=True):
                p += rho * g / norm
        found = torch.autograd.grad(F.cross_entropy(module(x[index]), y[index]), list(module.parameters()))
        with torch.no_grad():
            for p, b, g in zip(module.parameters(), before, found, strict=True):
                p.copy_(b - lr * g)
    return module.eval()
