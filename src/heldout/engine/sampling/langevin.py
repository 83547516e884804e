"""Langevin chains without a Metropolis test: stochastic gradients, plain and preconditioned."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import State, at_start, each_group, survived
from heldout.engine.sampling.target import Energy, Target


@dataclass(frozen=True, slots=True)
class Sgld:
    r"""Stochastic gradient Langevin dynamics (Welling and Teh 2011), unadjusted where all examples are used.

    .. math:: w \leftarrow w - \tfrac{\epsilon}{2} \nabla U_B(w) + \sqrt{\epsilon}\, \xi

    In a direction of precision A the variance comes out as :math:`1 / (A (1 - \epsilon A / 4))`: too large, and without limit at
    :math:`\epsilon A = 4`.

    Attributes:
        batch: Examples a step; None for all.
        control_variate: Whether the minibatch gradient is corrected by that of the same examples at the centre, which costs
            another gradient a step and removes the noise that does not depend on the position.
    """

    batch: int | None = None
    control_variate: bool = False
    name: str = "sgld"
    exact: bool = False

    def begin(self, target: Target, streams: Streams) -> State:
        """Every chain at its centre.

        Args:
            target: What is sampled.
            streams: Random numbers.

        Returns:
            The state.
        """
        state = at_start(target)
        return state._replace(memory=state.energy.gradient) if self.control_variate else state

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One step.

        Args:
            target: What is sampled.
            state: Where chains are.
            size: epsilon, ``[G]``.
            streams: Random numbers.
            number: Of the step.

        Returns:
            The next state.
        """
        energy = batch_energy(target, state.position, streams, number, self.batch)
        gradient = energy.gradient
        if self.control_variate and self.batch is not None:
            centre = batch_energy(target, target.start, streams, number, self.batch).gradient
            gradient = gradient - centre + state.memory  # the memory is the centre's gradient on all examples
        moved = langevin(target, state.position, gradient, size, streams, number)
        twice = 2.0 if self.control_variate else 1.0
        return survived(
            state,
            state._replace(
                position=moved,
                energy=energy,
                cost=torch.full_like(state.cost, twice * share_of_data(target, self.batch)),
            ),
        )


@dataclass(frozen=True, slots=True)
class RmspropSgld:
    r"""SGLD preconditioned by the running mean square of the loss's gradient (Li et al. 2016), frozen after the first steps.

    .. math:: w \leftarrow w - \tfrac{\epsilon}{2} G \nabla U_B(w) + \sqrt{\epsilon G}\, \xi, \quad
        G = \frac{s}{\delta + \sqrt{\hat v}}

    While G moves with w the law that is sampled needs a correction by its divergence, which nobody computes; a constant G needs
    none, and localiser and noise are preconditioned alike, so that the law is the one that was asked for. G is scaled to a largest
    entry of 1, so that step sizes mean what they mean without it.

    Attributes:
        batch: Examples a step; None for all.
        decay: Of the running mean.
        damping: delta, in units of the root mean square of all entries.
        frozen_after: Steps after which G stays.
    """

    batch: int | None = None
    decay: float = 0.99
    damping: float = 0.1
    frozen_after: int = 300
    name: str = "rmsprop-sgld"
    exact: bool = False

    def begin(self, target: Target, streams: Streams) -> State:
        """Every chain at its centre.

        Args:
            target: What is sampled.
            streams: Random numbers.

        Returns:
            The state; the memory is the mean square.
        """
        return at_start(target, target.field.size)

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One step.

        Args:
            target: What is sampled.
            state: Where chains are.
            size: epsilon, ``[G]``.
            streams: Random numbers.
            number: Of the step, from 0.

        Returns:
            The next state.
        """
        energy = batch_energy(target, state.position, streams, number, self.batch)
        memory = state.memory
        if number < self.frozen_after:
            gamma = target.of_chains(target.localisation).to(state.position.dtype)[:, None]
            loss_gradient = energy.gradient - gamma * state.position  # these chains are not whitened
            memory = self.decay * memory + (1 - self.decay) * loss_gradient.square()
        scale = self.preconditioner(memory, min(number + 1, self.frozen_after))
        moved = langevin(target, state.position, energy.gradient, size, streams, number, scale)
        found = state._replace(
            position=moved,
            energy=energy,
            memory=memory,
            cost=torch.full_like(state.cost, share_of_data(target, self.batch)),
        )
        return survived(state, found)

    def preconditioner(self, memory: Tensor, steps: int) -> Tensor:
        """The diagonal of G.

        Args:
            memory: Running mean square, ``[C, P]``.
            steps: That it is made of.

        Returns:
            ``[C, P]``, at most 1.
        """
        root = (memory / (1 - self.decay**steps)).sqrt()
        level = root.square().mean(1, keepdim=True).sqrt().clamp_min(1e-30)
        inverse = 1.0 / (self.damping * level + root)
        return inverse / inverse.amax(1, keepdim=True)


def batch_energy(target: Target, position: Tensor, streams: Streams, number: int, batch: int | None) -> Energy:
    """The energy on the minibatch of a step; every chain has its own.

    Args:
        target: What is sampled.
        position: ``[C, P]``.
        streams: Random numbers.
        number: Of the step.
        batch: Examples; None for all.

    Returns:
        The energy.
    """
    if batch is None or batch >= target.field.examples:
        return target.energy(position)
    return target.energy(position, each_group(streams.batch(number, batch, target.field.examples), target))


def share_of_data(target: Target, batch: int | None) -> float:
    """What a gradient on a minibatch costs.

    Args:
        target: What is sampled.
        batch: Examples; None for all.

    Returns:
        In gradients over all examples.
    """
    return 1.0 if batch is None else min(1.0, batch / target.field.examples)


def langevin(
    target: Target,
    position: Tensor,
    gradient: Tensor,
    size: Tensor,
    streams: Streams,
    number: int,
    scale: Tensor | None = None,
) -> Tensor:
    """Drift and noise.

    Args:
        target: What is sampled.
        position: ``[C, P]``.
        gradient: Of the energy, ``[C, P]``.
        size: epsilon, ``[G]``.
        streams: Random numbers.
        number: Of the step.
        scale: Diagonal preconditioner ``[C, P]``; None for 1.

    Returns:
        ``[C, P]``.
    """
    epsilon = target.of_chains(size).to(position.dtype)[:, None]
    epsilon = epsilon if scale is None else epsilon * scale
    noise = each_group(streams.normal("noise", number, position.shape[1], position.dtype), target)
    moved = torch.addcmul(position, epsilon, gradient, value=-0.5)
    return moved.addcmul_(epsilon.sqrt(), noise)
