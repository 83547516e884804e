"""Stochastic gradients with a thermostat that takes up their unknown noise."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.engine.sampling.langevin import batch_energy, share_of_data
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import State, at_start, each_group, survived
from heldout.engine.sampling.target import Target


@dataclass(frozen=True, slots=True)
class Sgnht:
    r"""Stochastic gradient Nose-Hoover thermostat (Ding et al. 2014), integrated symmetrically (Leimkuhler and Shang 2016, BADODAB).

    .. math:: dp = -\nabla U_B(w)\, dt - \zeta p\, dt + \sqrt{2 a}\, dW, \quad dw = p\, dt, \quad
        d\zeta = \left(\tfrac{1}{P} |p|^2 - 1\right) dt

    A step is half a kick, half a drift, half a change of :math:`\zeta`, friction and noise together and exactly, and the same in
    reverse; a harmonic direction keeps its variance, where the Euler steps of the first paper err in the second order of
    the step size.

    The friction :math:`\zeta` grows until the momenta have the right temperature, whatever noise the minibatches add; one number
    cannot do so when the noise differs much between directions.

    Attributes:
        batch: Examples a step; None for all.
        friction: a, in units of the frequency of the flat directions; also where the thermostat starts.
    """

    batch: int | None = None
    friction: float = 1.0
    name: str = "sgnht"
    exact: bool = False

    def begin(self, target: Target, streams: Streams) -> State:
        """Every chain at its centre, with a momentum of the right temperature.

        Args:
            target: What is sampled.
            streams: Random numbers.

        Returns:
            The state; the memory is the thermostat.
        """
        state = at_start(target, 1)
        momentum = each_group(streams.normal("momentum", 0, target.field.size, state.position.dtype), target)
        return state._replace(momentum=momentum, memory=self._added(target).to(state.memory.dtype))

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One step.

        Args:
            target: What is sampled.
            state: Where chains are.
            size: h, ``[G]``.
            streams: Random numbers.
            number: Of the step.

        Returns:
            The next state.
        """
        kind = state.position.dtype
        h, added = target.of_chains(size).to(kind)[:, None], self._added(target).to(kind)
        noise = each_group(streams.normal("noise", number, target.field.size, kind), target)
        momentum = state.momentum - 0.5 * h * state.energy.gradient
        halfway = state.position + 0.5 * h * momentum
        memory = state.memory + 0.5 * h * _excess(momentum)
        momentum = momentum * (-h * memory).exp() + (added * _heated(memory, h)).sqrt() * noise
        memory = memory + 0.5 * h * _excess(momentum)
        moved = halfway + 0.5 * h * momentum
        energy = batch_energy(target, moved, streams, number, self.batch)
        momentum = momentum - 0.5 * h * energy.gradient
        spent = torch.full_like(state.cost, share_of_data(target, self.batch))
        return survived(state, State(moved, energy, momentum, memory, state.alive, state.accepted, spent))

    def _added(self, target: Target) -> Tensor:
        return self.friction * target.frequency[:, None]


def _excess(momentum: Tensor) -> Tensor:
    """By how much the momenta are too hot, ``[C, 1]``."""
    return momentum.square().mean(1, keepdim=True) - 1


def _heated(friction: Tensor, time: Tensor) -> Tensor:
    """``(1 - exp(-2 friction time)) / friction``, ``[C, 1]``; twice the time without friction."""
    tame = torch.where(friction.abs() * time < 1e-4, 1e-4 / time, friction)
    return -torch.expm1(-2 * tame * time) / tame
