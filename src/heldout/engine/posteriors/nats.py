"""Divergences that a posterior is trained with: differentiable, in the precision of the weights. The certified ones are not these."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from heldout.engine.population import Population
from heldout.engine.posteriors.gaussian import Gaussian
from heldout.engine.posteriors.grid import FINENESS, LARGEST, smooth_price
from heldout.engine.posteriors.mapping import in_rows

Nats = Callable[[Tensor, Tensor], Tensor]  # means and logarithms of scales [M, P] -> [M], differentiable


def profiled_divergence(centre: Population) -> Nats:
    r"""KL at the prior variance that is best for it, :math:`\frac1P \sum_i (\sigma_i^2 + (\mu_i - m_i)^2)`, with its price.

    Args:
        centre: Means of the prior.

    Returns:
        A function of the posterior's means and logarithms of scales, in rows.
    """
    middle = in_rows(centre.parameters, centre.parameters)

    def nats(means: Tensor, log_scales: Tensor) -> Tensor:
        spread = ((2 * log_scales).exp() + (means - middle).square()).sum(1)
        variance = torch.clamp(spread / centre.size, max=LARGEST * math.exp(-1 / FINENESS))
        total = 0.5 * (centre.size * variance.log() + spread / variance - centre.size) - log_scales.sum(1)
        return torch.clamp(total, min=0.0) + smooth_price(variance)

    return nats


def fixed_divergence(prior: Gaussian) -> Nats:
    """KL from a prior that was fixed before.

    Args:
        prior: P.

    Returns:
        A function of the posterior's means and logarithms of scales, in rows.
    """
    middle = in_rows(prior.centre.parameters, prior.centre.parameters)
    log_s = in_rows(prior.log_scales, prior.centre.parameters).to(middle)
    precision = (-log_s).exp()

    def nats(means: Tensor, log_scales: Tensor) -> Tensor:
        ratio = 2 * (log_scales - log_s)
        return 0.5 * (ratio.expm1() - ratio + ((means - middle) * precision).square()).sum(1)

    return nats
