"""Hamiltonian Monte Carlo on all examples: exact, and the reference for the others."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.sampling.metropolis import judged
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.state import State, at_start, each_group
from heldout.engine.sampling.target import Energy, Target

LONGEST = 1000  # leapfrog steps of one trajectory, before any halving
HALVINGS = 6
ERROR = 2.0  # of the conserved energy, in units of temperature, above which a step is halved


class _Phase(NamedTuple):
    position: Tensor
    momentum: Tensor
    energy: Energy

    @property
    def total(self) -> Tensor:
        return self.energy.value + 0.5 * self.momentum.double().square().sum(1)

    def at(self, chains: Tensor) -> "_Phase":
        return _Phase(self.position[chains], self.momentum[chains], Energy(*(part[chains] for part in self.energy)))

    def put(self, chains: Tensor, new: "_Phase") -> "_Phase":
        energy = Energy(*(old.index_copy(0, chains, part) for old, part in zip(self.energy, new.energy, strict=True)))
        position = self.position.index_copy(0, chains, new.position)
        return _Phase(position, self.momentum.index_copy(0, chains, new.momentum), energy)


@dataclass(frozen=True, slots=True, eq=False)
class Hmc:
    r"""Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011, figure 2) that halves its step where the curvature asks for it.

    .. math:: p \leftarrow p - \tfrac{h}{2} \nabla U(z), \quad z \leftarrow z + h p, \quad p \leftarrow p - \tfrac{h}{2} \nabla U(z)

    A trajectory lasts for a quarter period of the slowest direction, so that a direction of that precision is drawn afresh each time.
    Lengths vary by a half of that, lest a faster direction come back to where it was.

    The curvature of a singular law grows along its valleys, and with one step size chains would never go far into them, without any
    of them noticing. So a trajectory is tried again with half the step until it conserves its energy to within 2, and its end is
    rejected unless the way back would have settled on the same step: forth and back are then one involution, and the law is exact
    (an autostep as in Biron-Lattes et al. 2024 with a fixed duration).

    Attributes:
        slowest: Variance of the slowest direction, ``[G]``.
        longest: Leapfrog steps of a trajectory at most.
        halvings: Of the step, at most.
    """

    slowest: Tensor
    longest: int = LONGEST
    halvings: int = HALVINGS
    name: str = "hmc"
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

    def lengths(self, size: Tensor, share: float) -> Tensor:
        """Leapfrog steps of a trajectory.

        Args:
            size: h, ``[G]``.
            share: Of the quarter period.

        Returns:
            ``[G]``, int64.
        """
        steps = (share * 0.5 * torch.pi * self.slowest.sqrt() / size).round()
        return steps.nan_to_num(1.0).clamp(1, self.longest).long()

    def step(self, target: Target, state: State, size: Tensor, streams: Streams, number: int) -> State:
        """One trajectory.

        Args:
            target: What is sampled.
            state: Where chains are.
            size: h, ``[G]``.
            streams: Random numbers.
            number: Of the trajectory.

        Returns:
            The next state; its acceptance is that of the unhalved step.
        """
        share = 0.4 + 0.9 * float(streams.uniform("length", number)[0])
        h, lengths = target.of_chains(size), target.of_chains(self.lengths(size, share))
        drawn = each_group(streams.normal("noise", number, target.field.size, state.position.dtype), target)
        start = _Phase(state.position, drawn, state.energy)
        end = trajectory(target, start, h, lengths)
        error = start.total - end.total
        first, spent = error.clamp(max=0.0).exp().nan_to_num(0.0), lengths.double()
        poor = ~(error.abs() <= ERROR)
        for halving in range(1, self.halvings + 1):
            chains = poor.nonzero().flatten()
            if len(chains) == 0:
                break
            part, begun, factor = target.at(chains), start.at(chains), 2**halving
            ended = trajectory(part, begun, h[chains] / factor, lengths[chains] * factor)
            spent[chains] += lengths[chains] * factor
            change = begun.total - ended.total
            fine = change.abs() <= ERROR
            for coarser in range(halving):  # would the way back have been content with a larger step?
                back = fine.nonzero().flatten()
                if len(back) == 0:
                    break
                home = ended.at(back)
                home = home._replace(momentum=-home.momentum)
                steps = lengths[chains[back]] * 2**coarser
                returned = trajectory(part.at(back), home, h[chains[back]] / 2**coarser, steps)
                spent[chains[back]] += steps
                content = (home.total - returned.total).abs() <= ERROR
                change = change.index_copy(0, back, torch.where(content, -torch.inf, change[back]))
            settled = fine.nonzero().flatten()
            end = end.put(chains[settled], ended.at(settled))
            error = error.index_copy(0, chains[settled], change[settled])
            poor = poor.index_fill(0, chains[settled], False)
        error = torch.where(poor, -torch.inf, error)
        after = judged(state, end.position, end.energy, error, target, streams, number)
        return after._replace(accepted=first, cost=spent)


def trajectory(target: Target, start: _Phase, size: Tensor, lengths: Tensor) -> _Phase:
    """Leapfrog steps.

    Args:
        target: What is sampled.
        start: Where chains are.
        size: h, ``[C]``.
        lengths: Steps of each chain, ``[C]``.

    Returns:
        Where they arrive.
    """
    kind = start.position.dtype
    h = size.to(kind)[:, None]
    now = start._replace(momentum=start.momentum - 0.5 * h * start.energy.gradient)
    for done in range(1, int(lengths.max()) + 1):
        going = lengths >= done
        everyone = bool(going.all())  # chains with shorter trajectories have arrived
        chains = going.nonzero().flatten()
        part, here = (now, target) if everyone else (now.at(chains), target.at(chains))
        step = h if everyone else h[chains]
        position = part.position + step * part.momentum
        energy = here.energy(position)
        kick = torch.where(
            (lengths if everyone else lengths[chains])[:, None] == done, 0.5 * step, step
        )  # half at last
        moved = _Phase(position, part.momentum - kick * energy.gradient, energy)
        now = moved if everyone else now.put(chains, moved)
    return now
