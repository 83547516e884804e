"""Pilot chains: coordinates, step size and the slowest scale are found before any draw is kept."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from heldout.engine.sampling.adapting import ACCEPTANCE, DualAveraging, steps_a_draw, unadjusted_size
from heldout.engine.sampling.curvature import Curvature, stiffness, whitening
from heldout.engine.sampling.hamiltonian import Hmc
from heldout.engine.sampling.metropolis import Mala
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import Sampler, State
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.whitening import Whitening

PILOT = 2**40  # numbers of pilot steps begin here, so that they share no randomness with the chains'
SHORT, LONG = (
    24,
    100,
)  # steps of a pilot trajectory at most, before and after there are coordinates from where the chains are
SPREADING, ADAPTING, SETTLING = 20, 40, 12  # trajectories
LARGEST, GUESS, ROUND = (
    1.0,
    0.5,
    0.4,
)  # steps, for a frequency of 1: at most, at first, and where coordinates are good enough
FEW = 5  # steps of Lanczos that find a largest eigenvalue to a few per cent
WIDE = 4.0  # variances, among thousands that are 1, for which all trajectories need not be longer
MALA_STEPS = 10  # proposals in place of a trajectory
PRODUCT = 3.0  # gradients that a Hessian's product costs


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """Chains that are ready to be recorded.

    Attributes:
        target: With its coordinates.
        sampler: With the slowest scale that was found.
        size: Step size, ``[G]``.
        steps: Between draws, ``[G]``.
        state: Where the chains are.
        spent: Gradients over all examples a chain, ``[G]``.
        metropolis: Acceptance that a Metropolis test has with these steps, ``[G]``.
    """

    target: Target
    sampler: Sampler
    size: Tensor
    steps: Tensor
    state: State
    spent: Tensor
    metropolis: Tensor


def tune(
    sampler: Sampler,
    target: Target,
    centred: Whitening,
    curved: Curvature,
    streams: Streams,
    batch: int | None,
    given: float | None,
) -> Tuned:
    """Choose coordinates and step size.

    Chains first spread under Hamiltonian pilots in coordinates from the Hessian at their centre. Where these turn out not to be
    round, the Hessian where the chains came to be, which on a singular loss is another one, gives the final coordinates. A step
    size that the user gives is in the plain ones.

    Args:
        sampler: Of any kind.
        target: What is sampled.
        centred: Coordinates from the Hessians at the centres.
        curved: What these say beside.
        streams: Random numbers.
        batch: Examples a step; None for all.
        given: The step size, if the user chose it.

    Returns:
        Chains under way: adapted ones have left their centres, the others begin there.
    """
    if given is not None:
        return _given(sampler, target, streams, given)
    spent = torch.full_like(target.nbeta, 35 * PRODUCT)
    first = replace(target, whitening=centred)
    guess = torch.full_like(spent, GUESS)
    pilot, size, kept, acceptance = _run(
        Hmc(torch.ones_like(spent), SHORT), first, None, guess, streams, PILOT, SPREADING, spent
    )
    away, good = first.displacement(pilot.position), bool((size >= ROUND).all())
    if good and isinstance(sampler, Hmc) and isinstance(kept, Hmc) and bool((kept.lengths(size, 1.3) <= SHORT).all()):
        steps = steps_a_draw("hmc", size, kept.slowest)  # no trajectory would be cut: nothing is left to be found
        return Tuned(first, replace(sampler, slowest=kept.slowest), size, steps, pilot, spent, acceptance)
    if sampler.name == "rmsprop-sgld":
        plain = target
    elif good:
        plain = first
    else:
        plain = replace(target, whitening=whitening(target, away, streams))
        spent += 40 * PRODUCT
    if sampler.exact:
        state, begun, rounds = pilot, sampler, SETTLING if good else ADAPTING
        if not good:
            moved = plain.position(away)
            state = pilot._replace(position=moved, energy=plain.energy(moved))
        if isinstance(sampler, Hmc):
            begun = Hmc(kept.slowest if good and isinstance(kept, Hmc) else _variance(state.position, plain), LONG)
        if not good or not isinstance(sampler, Hmc):
            stiffest = by_group_most(stiffness(plain, state.position, streams, FEW), plain).clamp_min(1.0)
            size = 1 / (stiffest.sqrt() if sampler.name == "hmc" else stiffest)
            spent += FEW * PRODUCT
        state, size, ready, acceptance = _run(begun, plain, state, size, streams, PILOT + SPREADING, rounds, spent)
        if isinstance(sampler, Hmc) and isinstance(ready, Hmc):
            ready = replace(sampler, slowest=ready.slowest)
        slowest = ready.slowest if isinstance(ready, Hmc) else _variance(state.position, plain)
        return Tuned(plain, ready, size, steps_a_draw(ready.name, size, slowest), state, spent, acceptance)
    return _unadjusted(sampler, plain, plain.position(away), curved, streams, batch, spent)


def _given(sampler: Sampler, target: Target, streams: Streams, given: float) -> Tuned:
    size = torch.full_like(target.nbeta, given)
    slowest = 1 / target.localisation
    ready = Hmc(slowest) if isinstance(sampler, Hmc) else sampler
    steps = steps_a_draw(ready.name, size, slowest)
    unknown = torch.full_like(size, torch.nan)
    return Tuned(target, ready, size, steps, ready.begin(target, streams), torch.ones_like(size), unknown)


def _run(
    sampler: Sampler,
    target: Target,
    state: State | None,
    size: Tensor,
    streams: Streams,
    first: int,
    trajectories: int,
    spent: Tensor,
) -> tuple[State, Tensor, Sampler, Tensor]:
    """Adapt the step size of an exact sampler while its chains move; adds the cost to ``spent``."""
    state = sampler.begin(target, streams) if state is None else state
    averaging = DualAveraging(size, ACCEPTANCE[sampler.name], torch.full_like(size, LARGEST))
    rounds = trajectories if sampler.name == "hmc" else trajectories * MALA_STEPS
    seen, acceptance = 0, torch.zeros_like(spent)
    squares = torch.zeros_like(_coordinates(state.position, target))
    for number in range(rounds):
        state = sampler.step(target, state, averaging.size, streams, first * MALA_STEPS + number)
        spent += by_group(state.cost, target)
        accepted = by_group(state.accepted, target)
        averaging.update(accepted)
        if number >= rounds // 2:
            seen, squares = seen + 1, squares + _coordinates(state.position, target).square()
            acceptance += accepted / (rounds - rounds // 2)
    if isinstance(sampler, Hmc):
        sampler = replace(sampler, slowest=_slowest(squares.mean(1) / seen, target))
    return state, averaging.settled, sampler, acceptance


def _unadjusted(
    sampler: Sampler,
    target: Target,
    position: Tensor,
    curved: Curvature,
    streams: Streams,
    batch: int | None,
    spent: Tensor,
) -> Tuned:
    stiffest = by_group_most(stiffness(target, position, streams), target).clamp_min(1e-6)
    probe = torch.where(streams.normal("trace", 0, target.field.size) < 0, -1.0, 1.0).to(position.dtype)
    probe = probe.repeat(target.groups, 1).to(position.device)
    along = target.displacement(probe)
    gamma = target.of_chains(target.localisation)
    whole = (probe * target.hessian_product(position, probe)).double().sum(1)
    trace = by_group(whole - gamma * along.double().square().sum(1), target).clamp_min(0.0)
    energy = target.energy(position)
    centre = target.field.losses(target.field.centres[target.members], target.members).mean(1)
    excess = target.nbeta * (by_group(energy.losses.mean(1), target) - centre)
    size = unadjusted_size(sampler.name, target, stiffest, trace, torch.maximum(excess, 0.1 * curved.effective), batch)
    test = sampler.begin(target, streams)._replace(position=position, energy=energy)
    proposal = size.square() if sampler.name == "sgnht" else size
    acceptance = by_group(Mala().step(target, test, proposal, streams, PILOT - 1).accepted, target)
    slowest = 1 / target.localisation if target.whitening is None else _variance(position, target)
    spent += 16 * PRODUCT
    steps = steps_a_draw(sampler.name, size, slowest)
    return Tuned(target, sampler, size, steps, sampler.begin(target, streams), spent, acceptance)


def _variance(position: Tensor, target: Target) -> Tensor:
    """Variance of the slowest direction as far as one place a chain can tell it, ``[G]``."""
    return _slowest(_coordinates(position, target).square().mean(1), target)


def _coordinates(position: Tensor, target: Target) -> Tensor:
    """Coordinates along the whitened directions, ``[G, K, k]``, float64."""
    assert target.whitening is not None
    grouped = position.view(target.groups, target.chains, -1)
    return torch.einsum("gcp,gpk->gck", grouped, target.whitening.directions).double()


def _slowest(squares: Tensor, target: Target) -> Tensor:
    """The variance that trajectories are made for, from mean squares ``[G, k]`` along the whitened directions.

    Only these can be wider than 1, where the Hessian that made the coordinates was too stiff. In all other directions the variance is
    that of the localiser, 1; where there are any, a few wide ones are given half of their quarter period.

    Args:
        squares: Mean squares.
        target: What is sampled.

    Returns:
        ``[G]``.
    """
    assert target.whitening is not None
    widest = squares.amax(1)
    if squares.shape[1] < target.field.size:
        widest = (widest / WIDE).clamp_min(1.0)
    return torch.minimum(target.whitening.longest, widest.clamp_min(0.1))


def by_group(per_chain: Tensor, target: Target) -> Tensor:
    """Means over the chains of each group.

    Args:
        per_chain: ``[C]``.
        target: What is sampled.

    Returns:
        ``[G]``.
    """
    return per_chain.view(target.groups, target.chains).mean(1)


def by_group_most(per_chain: Tensor, target: Target) -> Tensor:
    """Largest over the chains of each group.

    Args:
        per_chain: ``[C]``.
        target: What is sampled.

    Returns:
        ``[G]``.
    """
    return per_chain.view(target.groups, target.chains).amax(1)
