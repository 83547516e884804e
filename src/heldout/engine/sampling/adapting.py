"""Step sizes that follow from curvature, and their adaptation to a rate of acceptance."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.engine.sampling.target import Target

#: Acceptance that is aimed at: 0.574 is optimal for MALA (Roberts and Rosenthal 1998); trajectories are given more than their
#: optimum of 0.65, since the curvature of singular laws differs from place to place.
ACCEPTANCE = {"mala": 0.574, "hmc": 0.8}
HARMONIC = 0.7  # of a thermostat's step, times the stiffest frequency; at 2 it becomes unstable
BIAS = 0.02  # share of the learning coefficient that the step size of an unadjusted chain may add, by the rule below


@dataclass(slots=True)
class DualAveraging:
    """Adaptation of step sizes to an acceptance rate (Hoffman and Gelman 2014, equation 6 and table 1).

    Args:
        size: First guess, ``[G]``, float64.
        wanted: Acceptance rate.
        largest: That a step size may become, ``[G]``; no bound unless given.
    """

    size: Tensor
    wanted: float
    _largest: Tensor | None
    _centre: Tensor
    _deficit: Tensor
    _averaged: Tensor
    _count: int

    def __init__(self, size: Tensor, wanted: float, largest: Tensor | None = None) -> None:
        self.size, self.wanted, self._largest, self._count = size, wanted, largest, 0
        self._centre = (4 * size).log()  # the paper's factor of 10 is for guesses without knowledge of the curvature
        self._deficit, self._averaged = torch.zeros_like(size), torch.zeros_like(size)

    def update(self, acceptance: Tensor) -> None:
        """Take note of one step.

        Args:
            acceptance: Mean over the chains of each group, ``[G]``.
        """
        self._count += 1
        t = self._count
        rate = 1 / (t + 10)
        self._deficit = (1 - rate) * self._deficit + rate * (self.wanted - acceptance)
        log = self._centre - t**0.5 / 0.05 * self._deficit
        log = log if self._largest is None else torch.minimum(log, self._largest.log())
        weight = t**-0.75
        self._averaged = weight * log + (1 - weight) * self._averaged
        self.size = log.exp()

    @property
    def settled(self) -> Tensor:
        """The averaged step size, ``[G]``."""
        return self._averaged.exp()


def unadjusted_size(
    name: str, target: Target, stiffest: Tensor, trace: Tensor, effective: Tensor, batch: int | None
) -> Tensor:
    r"""The step size of a chain without Metropolis test.

    With step :math:`\epsilon` it adds :math:`\epsilon \operatorname{tr}(n\beta H_z) / 8` to the learning coefficient of a
    quadratic loss,
    ``H_z`` being the Hessian in the chain's coordinates, and the noise of minibatches :math:`n\beta / B` times as much again where
    gradients have the covariance H, as they do for a likelihood at its maximum. The sum is held to 2 % of the coefficient,
    and the step to a quarter of what is stable. A thermostat's step has no bias of its own on a quadratic loss; its square is held
    to where the noise would add as much.

    Args:
        name: Of the sampler.
        target: What is sampled.
        stiffest: Largest precision in these coordinates, ``[G]``.
        trace: ``tr(n beta H_z)``, ``[G]``.
        effective: The learning coefficient, roughly, ``[G]``.
        batch: Examples a step; None for all.

    Returns:
        ``[G]``, float64.
    """
    noise = torch.zeros_like(target.nbeta) if batch is None or batch >= target.field.examples else target.nbeta / batch
    slope = (trace / 8 / effective.clamp_min(1e-12)).clamp_min(1e-12)
    if name == "sgnht":
        return torch.minimum(HARMONIC / stiffest.sqrt(), (BIAS / slope / noise).sqrt())
    return torch.minimum(BIAS / slope / (1 + noise), 1 / stiffest)


def steps_a_draw(name: str, size: Tensor, slowest: Tensor) -> Tensor:
    """Steps between recorded draws: one relaxation time of the slowest direction.

    Args:
        name: Of the sampler.
        size: ``[G]``.
        slowest: Variance of that direction, ``[G]``.

    Returns:
        ``[G]``, int64.
    """
    if name == "hmc":
        return torch.ones_like(size, dtype=torch.int64)
    if name == "sgnht":
        return (slowest.sqrt() * torch.pi / size).ceil().clamp(1, 2**19).long()
    return (slowest / size).ceil().clamp(1, 2**19).long()
