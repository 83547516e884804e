"""Gaussian distributions over the weights of every member: divergence in nats, draws as a population, densities of draws."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from heldout.engine.population import Population, stream
from heldout.records import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Independent normal weights around each member's own; buffers are those of the centre, for every draw.

    Attributes:
        centre: The means, M networks.
        log_scales: Name of a parameter -> logarithm of its standard deviation, ``[M, ...]`` for one a weight, or ``[M, 1, ...]``
            for one a layer.

    Raises:
        Refusal: If a scale is zero or not finite, or a parameter has none.
    """

    centre: Population
    log_scales: dict[str, Tensor]

    def __post_init__(self) -> None:
        """Refuse what has no density."""
        for name, weight in self.centre.parameters.items():
            if not weight.is_floating_point():
                raise Refusal(
                    given=f"parameter '{name}' holds whole numbers", expected="weights that can be drawn",
                    do="make it a buffer",
                )  # fmt: skip
            scale = self.log_scales.get(name)
            if scale is None or not bool(torch.isfinite(scale).all()):
                raise Refusal(
                    given=f"the standard deviation of '{name}' was " + ("not given" if scale is None else "zero or not finite"),
                    expected="a positive one for every weight",
                    do="give every weight some noise: a single network has no finite divergence from a prior with a density",
                )  # fmt: skip

    @classmethod
    def around(cls, centre: Population, scale: float | Tensor) -> Self:
        """The same standard deviation for all weights.

        Args:
            centre: The means.
            scale: Positive; one number, or one for each member ``[M]``.

        Returns:
            One scale a layer, equal in all of them.
        """
        logs = torch.as_tensor(scale, dtype=torch.float64).log().expand(len(centre))
        return cls(
            centre,
            {
                name: logs.reshape(-1, *[1] * (weight.ndim - 1)).to(weight.device, torch.float64)
                for name, weight in centre.parameters.items()
            },
        )

    @classmethod
    def relative(cls, centre: Population, share: float) -> Self:
        """Standard deviations in proportion to the weights of their layer, so that no unit of measurement matters.

        Args:
            centre: The means.
            share: Of the root mean square of a parameter tensor; of a tenth of that of all weights, where this is more.

        Returns:
            One scale a layer.
        """
        squares = {n: w.double().square().reshape(len(w), -1) for n, w in centre.parameters.items()}
        total = torch.stack([s.sum(1) for s in squares.values()]).sum(0)
        least = (total / centre.size).sqrt() / 10
        logs = {}
        for name, weight in centre.parameters.items():
            size = torch.maximum(squares[name].mean(1).sqrt(), least)
            logs[name] = (share * size).log().reshape(-1, *[1] * (weight.ndim - 1))
        return cls(centre, logs)


def divergence(posterior: Gaussian, prior: Gaussian) -> Tensor:
    r"""Divergence of one Gaussian from another, of every member.

    .. math:: \mathrm{KL}(Q \| P) = \tfrac12 \sum_i \left[ \ln\frac{s_i^2}{\sigma_i^2} + \frac{(\mu_i - m_i)^2}{s_i^2}
        + \frac{\sigma_i^2}{s_i^2} - 1 \right]

    with Q of means mu and deviations sigma, P of means m and deviations s.

    Args:
        posterior: Q.
        prior: P, over the same parameters.

    Returns:
        Nats, ``[M]``, float64.

    Example:
        >>> network = torch.nn.Linear(1, 1, bias=False)
        >>> population = Population(network)
        >>> divergence(Gaussian.around(population, 1.0), Gaussian.around(population, 1.0)).item()
        0.0
    """
    total = torch.zeros(len(posterior.centre), dtype=torch.float64, device=posterior.centre.device)
    for name, mean in posterior.centre.parameters.items():
        log_sigma, log_s = (g.log_scales[name].double().expand_as(mean) for g in (posterior, prior))
        moved = (mean.double() - prior.centre.parameters[name].double()) * (-log_s).exp()
        ratio = 2 * (log_sigma - log_s)
        total += 0.5 * (ratio.expm1() - ratio + moved.square()).reshape(len(mean), -1).sum(1)
    return total


def log_ratio(posterior: Gaussian, prior: Gaussian, network: Population) -> Tensor:
    r"""Logarithm of the density ratio dQ/dP at given weights.

    Args:
        posterior: Q.
        prior: P.
        network: Weights w, one network a member.

    Returns:
        :math:`\ln (dQ/dP)(w)`, ``[M]``, float64.
    """
    total = torch.zeros(len(network), dtype=torch.float64, device=network.device)
    for name, weight in network.parameters.items():
        terms = []
        for gaussian, sign in ((posterior, 1.0), (prior, -1.0)):
            log_scale = gaussian.log_scales[name].double().expand_as(weight)
            standard = (weight.double() - gaussian.centre.parameters[name].double()) * (-log_scale).exp()
            terms.append(sign * (-log_scale - 0.5 * standard.square()))
        total += (terms[0] + terms[1]).reshape(len(weight), -1).sum(1)
    return total


def drawn(gaussian: Gaussian, draws: int, *, seed: int, purpose: str = "posterior draw", first: int = 0) -> Population:
    """Networks drawn from a Gaussian.

    Args:
        gaussian: Of M members.
        draws: D of each; members share the standard normal noise of a draw.
        seed: Of the noise.
        purpose: Names the stream, so that different uses of a seed are independent.
        first: Number of the first draw: those from k on are the same as in a larger call.

    Returns:
        ``M * D`` networks, the draws of a member next to each other.
    """
    members, centre = len(gaussian.centre), gaussian.centre
    parameters = {}
    for name, mean in centre.parameters.items():
        noise = torch.stack([
            torch.randn(mean.shape[1:], generator=stream(seed, purpose, draw, name))
            for draw in range(first, first + draws)
        ]).to(mean)
        scale = gaussian.log_scales[name].exp().to(mean.dtype)
        parameters[name] = (mean.unsqueeze(1) + scale.unsqueeze(1) * noise).flatten(0, 1)
    buffers = {
        name: buffer.unsqueeze(1).expand(members, draws, *buffer.shape[1:]).flatten(0, 1)
        for name, buffer in centre.buffers.items()
    }
    return centre.with_tensors(parameters, buffers)
