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

    .. math:: p \leftarrow p - \tfrac{h}{2} \nabla V(z), \quad
        \begin{pmatrix} \omega z \\ p \end{pmatrix} \leftarrow
        \begin{pmatrix} \cos \omega h & \sin \omega h \\ -\sin \omega h & \cos \omega h \end{pmatrix}
        \begin{pmatrix} \omega z \\ p \end{pmatrix}, \quad p \leftarrow p - \tfrac{h}{2} \nabla V(z)

    The Gaussian that holds the flat directions is followed exactly, and only the rest, :math:`V(z) = U(z) - \omega^2 |z|^2 / 2`, is
    discretised (Beskos et al. 2011; Shahbaba et al. 2014): a network has thousands of directions in which the loss does not
    matter, and a leapfrog step would have to be small for the sum of their errors alone. In whitened coordinates :math:`\omega` is
    1, otherwise :math:`\sqrt{\gamma}`.

    A trajectory lasts for a quarter period of the slowest direction, so that a direction of that precision is drawn afresh each time.
    Durations vary by a half of that, lest a faster direction come back to where it was; the step is what divides them evenly and is
    at most h.

    The curvature of a singular law grows along its valleys, and with one step size chains would never go far into them, without any
    of them noticing. So a trajectory is tried again with half the step until it conserves its energy to within 2, and its end is
    rejected unless the way back would have settled on the same step: forth and back are then one involution, and the law is exact
    (an autostep as in Biron-Lattes et al. 2024 with a fixed duration).

    Attributes:
        slowest: Variance of the slowest direction, ``[G]``.
        longest: Steps of a trajectory at most.
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
        steps = (self.duration(share) / size).ceil()
        return steps.nan_to_num(1.0).clamp(1, self.longest).long()

    def duration(self, share: float) -> Tensor:
        """How long a trajectory lasts.

        Args:
            share: Of the quarter period.

        Returns:
            ``[G]``, float64.
        """
        return share * 0.5 * torch.pi * self.slowest.sqrt()

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
        steps = self.lengths(size, share)
        h, lengths = target.of_chains(torch.minimum(size, self.duration(share) / steps)), target.of_chains(steps)
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
    """Kicks by the rest of the energy, and exact motion under the Gaussian between them.

    Args:
        target: What is sampled.
        start: Where chains are.
        size: h, ``[C]``.
        lengths: Steps of each chain, ``[C]``.

    Returns:
        Where they arrive.
    """
    omega = target.frequency
    turns = torch.stack([size, omega.square(), (omega * size).cos(), (omega * size).sin() / omega], 1)
    turns = turns.to(start.position.dtype)
    now = start._replace(momentum=start.momentum - 0.5 * turns[:, :1] * _rest(start.energy, start.position, turns))
    last = lengths.tolist()
    for done in range(1, max(last) + 1):
        if min(last) >= done:
            now = _moved(target, now, turns, lengths == done)
            continue
        chains = (lengths >= done).nonzero().flatten()  # the others have arrived
        part = _moved(target.at(chains), now.at(chains), turns[chains], lengths[chains] == done)
        now = now.put(chains, part)
    return now


def _moved(target: Target, now: _Phase, turns: Tensor, last: Tensor) -> _Phase:
    h, squared, cosine, sine = (turns[:, k : k + 1] for k in range(4))
    position = cosine * now.position + sine * now.momentum
    momentum = cosine * now.momentum - (squared * sine) * now.position
    energy = target.energy(position)
    kick = torch.where(last[:, None], 0.5 * h, h)
    return _Phase(position, momentum - kick * _rest(energy, position, turns), energy)


def _rest(energy: Energy, position: Tensor, turns: Tensor) -> Tensor:
    """The gradient of what the Gaussian leaves."""
    return energy.gradient - turns[:, 1:2] * position
