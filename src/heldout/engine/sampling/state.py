"""Where chains are, and how a sampler moves them."""

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.target import Energy, Target


class State(NamedTuple):
    """All chains at one time.

    Attributes:
        position: ``[C, P]``.
        energy: Of that position, on all examples; of samplers that use minibatches, of the last one.
        momentum: ``[C, P]``; zeros where there is none.
        memory: What a sampler keeps: the preconditioner ``[C, P]``, the thermostat ``[C, 1]``; otherwise ``[C, 0]``.
        alive: Chains that have not diverged, ``[C]``. The others stay where they last had finite numbers.
        accepted: Probability with which the last proposal was accepted, ``[C]``, float64; 1 where there is no test.
        cost: Gradients over all examples that the last step took, ``[C]``, float64.
    """

    position: Tensor
    energy: Energy
    momentum: Tensor
    memory: Tensor
    alive: Tensor
    accepted: Tensor
    cost: Tensor


class Sampler(Protocol):
    """One kind of chain.

    Attributes:
        name: As the literature says it.
        exact: Whether a Metropolis test removes the bias of the step size.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def exact(self) -> bool: ...  # noqa: D102

    def begin(self, target: Target, streams: Streams) -> State:
        """Every chain at its centre."""
        ...

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One step of all chains with step sizes ``[G]``; ``number`` counts the steps and names their randomness."""
        ...


def at_start(target: Target, memory: int = 0) -> State:
    """Every chain at its centre, at rest.

    Args:
        target: What is sampled.
        memory: Columns of what the sampler keeps.

    Returns:
        The state; one gradient of all examples a chain.
    """
    position = target.start
    chains = len(position)
    return State(
        position,
        target.energy(position),
        torch.zeros_like(position),
        position.new_zeros(chains, memory),
        torch.ones(chains, dtype=torch.bool, device=position.device),
        torch.ones(chains, dtype=torch.float64, device=position.device),
        torch.ones(chains, dtype=torch.float64, device=position.device),
    )


def each_group(drawn: Tensor, target: Target) -> Tensor:
    """What was drawn for the K chains of a group, for the chains at hand, on their device.

    Args:
        drawn: ``[K, ...]``.
        target: What is sampled.

    Returns:
        ``[C, ...]``.
    """
    drawn = drawn.to(target.field.centres.device)
    if len(drawn) == len(target.number_of) and torch.equal(target.number_of, torch.arange(len(drawn)).to(drawn.device)):
        return drawn
    return drawn[target.number_of]


def survived(before: State, after: State, ceiling: float = 1e8) -> State:
    """Freeze the chains whose new position or energy is no finite number, or whose energy left every reasonable scale.

    Args:
        before: The last state.
        after: The proposed one.
        ceiling: Energy per parameter, in units of temperature, above which a chain has diverged.

    Returns:
        ``after``, with diverged chains as they were before, no longer alive.
    """
    # a sum of finite numbers is finite, unless they are too large to be of any use
    finite = after.position.sum(1).isfinite() & after.energy.value.isfinite()
    sane = finite & (after.energy.value < ceiling * after.position.shape[1])
    alive = before.alive & sane
    if bool(alive.all()):
        return after._replace(alive=alive)
    return after._replace(
        position=torch.where(alive[:, None], after.position, before.position),
        momentum=torch.where(alive[:, None], after.momentum, before.momentum),
        memory=torch.where(alive[:, None], after.memory, before.memory),
        energy=chosen(alive, after.energy, before.energy),
        alive=alive,
    )


def chosen(here: Tensor, one: Energy, other: Energy) -> Energy:
    """One energy or the other, chain by chain.

    Args:
        here: ``[C]``, bool.
        one: Taken where it is True.
        other: Taken elsewhere.

    Returns:
        The mixture.
    """
    losses = one.losses  # of minibatches, two are of different examples and sizes: the newer is kept
    if one.losses.shape == other.losses.shape:
        losses = torch.where(here[:, None], one.losses, other.losses)
    return Energy(
        torch.where(here, one.value, other.value), losses, torch.where(here[:, None], one.gradient, other.gradient)
    )
