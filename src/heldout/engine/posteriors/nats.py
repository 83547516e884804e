"""Divergences that a posterior is trained with: differentiable, in the precision of the weights. The certified ones are not these."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from heldout.engine.population import Population
from heldout.engine.posteriors.gaussian import Gaussian
from heldout.engine.posteriors.grid import FINENESS, LARGEST, smooth_price
from heldout.engine.posteriors.mapping import Tensors

Nats = Callable[[Tensors, Tensors], Tensor]  # means and logarithms of scales -> [M], differentiable


def profiled_divergence(centre: Population) -> Nats:
    r"""KL at the prior variance that is best for it, :math:`\frac1P \sum_i (\sigma_i^2 + (\mu_i - m_i)^2)`, with its price.

    Args:
        centre: Means of the prior.

    Returns:
        A function of the posterior's means and logarithms of scales.
    """

    def nats(means: Tensors, log_scales: Tensors) -> Tensor:
        spread = torch.zeros_like(means[next(iter(means))].flatten(1)[:, 0])
        logs = torch.zeros_like(spread)
        for name, mean in means.items():
            log_scale = log_scales[name].expand_as(mean)
            moved = (mean - centre.parameters[name]).square()
            spread = spread + ((2 * log_scale).exp() + moved).reshape(len(mean), -1).sum(1)
            logs = logs + 2 * log_scale.reshape(len(mean), -1).sum(1)
        variance = torch.clamp(spread / centre.size, max=LARGEST * math.exp(-1 / FINENESS))
        total = 0.5 * (centre.size * variance.log() + spread / variance - centre.size - logs)
        return torch.clamp(total, min=0.0) + smooth_price(variance)

    return nats


def fixed_divergence(prior: Gaussian) -> Nats:
    """KL from a prior that was fixed before.

    Args:
        prior: P.

    Returns:
        A function of the posterior's means and logarithms of scales.
    """

    def nats(means: Tensors, log_scales: Tensors) -> Tensor:
        total = torch.zeros_like(means[next(iter(means))].flatten(1)[:, 0])
        for name, mean in means.items():
            log_s = prior.log_scales[name].to(mean).expand_as(mean)
            ratio = 2 * (log_scales[name].expand_as(mean) - log_s)
            moved = (mean - prior.centre.parameters[name]) * (-log_s).exp()
            total = total + 0.5 * (ratio.expm1() - ratio + moved.square()).reshape(len(mean), -1).sum(1)
        return total

    return nats
