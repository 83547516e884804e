"""Metropolis's test, and Langevin proposals that pass it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.engine.sampling.langevin import langevin
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import State, at_start, chosen, each_group
from heldout.engine.sampling.target import Energy, Target


@dataclass(frozen=True, slots=True)
class Mala:
    r"""Metropolis-adjusted Langevin algorithm (Roberts and Tweedie 1996), on all examples.

    .. math:: \alpha = \min\left(1, \frac{p(w') q(w \mid w')}{p(w) q(w' \mid w)}\right), \quad
        q(w' \mid w) = N\left(w - \tfrac{\epsilon}{2} \nabla U(w), \epsilon I\right)
    """

    name: str = "mala"
    exact: bool = True

    def begin(self, target: Target, streams: Streams) -> State:
        """Every chain at its centre.

        Args:
            target: What is sampled.
            streams: Random numbers.

        Returns:
            The state.
        """
        return at_start(target)

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One proposal.

        Args:
            target: What is sampled.
            state: Where chains are.
            size: epsilon, ``[G]``.
            streams: Random numbers.
            number: Of the step.

        Returns:
            The next state.
        """
        proposed = langevin(target, state.position, state.energy.gradient, size, streams, number)
        energy = target.energy(proposed)
        epsilon = target.of_chains(size)

        def misfit(end: Tensor, start: Tensor, gradient: Tensor) -> Tensor:
            kind = end.dtype
            rest = end - start + 0.5 * epsilon.to(kind)[:, None] * gradient
            return rest.double().square().sum(1) / (2 * epsilon)

        forth = misfit(proposed, state.position, state.energy.gradient)
        back = misfit(state.position, proposed, energy.gradient)
        return judged(
            state, proposed, energy, state.energy.value - energy.value + forth - back, target, streams, number
        )


def judged(
    state: State,
    proposed: Tensor,
    energy: Energy,
    log_ratio: Tensor,
    target: Target,
    streams: Streams,
    number: int,
) -> State:
    """Metropolis's test. What has no finite ratio is rejected.

    Args:
        state: Where chains are.
        proposed: Where they might go, ``[C, P]``.
        energy: There.
        log_ratio: Logarithm of the acceptance ratio, ``[C]``.
        target: What is sampled.
        streams: Random numbers.
        number: Of the step.

    Returns:
        The next state.
    """
    probability = torch.where(log_ratio.isfinite(), log_ratio.clamp(max=0.0).exp(), 0.0)
    taken = each_group(streams.uniform("accept", number), target) <= probability
    return state._replace(
        position=torch.where(taken[:, None], proposed, state.position),
        energy=chosen(taken, energy, state.energy),
        accepted=probability,
    )
