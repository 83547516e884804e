"""The law that chains sample: a tempered posterior, held near a centre by a Gaussian."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.sampling.field import Field
from heldout.engine.sampling.whitening import Whitening


class Energy(NamedTuple):
    """The target at a position.

    Attributes:
        value: ``n beta L + gamma / 2 |w - w*|^2``, ``[C]``, float64.
        losses: Of the examples that were used, ``[C, B]``, float64.
        gradient: Of the value with respect to the position z, ``[C, P]``.
    """

    value: Tensor
    losses: Tensor
    gradient: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    r"""Localised tempered posteriors, one a group; every group has K chains.

    .. math:: p(w) \propto \exp\left(-n\beta L_n(w) - \tfrac{\gamma}{2} |w - w^*|^2\right)

    A group is a member at a temperature and a localisation, so that ladders of either are more chains in the same stack. Chains move
    in :math:`z = S^{-1} (w - w^*)`, where S is the identity unless there is a whitening.

    Attributes:
        field: Losses and gradients.
        members: Whose posterior each group is, ``[G]``.
        nbeta: n times the inverse temperature, ``[G]``, float64.
        localisation: gamma, ``[G]``, float64.
        chains: K.
        group_of: Which group each of the chains at hand belongs to, ``[C]``.
        number_of: Which of its group's K chains each one is, ``[C]``.
        whitening: The change of variables.
    """

    field: Field
    members: Tensor
    nbeta: Tensor
    localisation: Tensor
    chains: int
    group_of: Tensor
    number_of: Tensor
    whitening: Whitening | None = None

    @classmethod
    def of(cls, field: Field, members: Tensor, nbeta: Tensor, localisation: Tensor, chains: int) -> "Target":
        """All chains of all groups, in plain coordinates.

        Args:
            field: Losses and gradients.
            members: ``[G]``.
            nbeta: ``[G]``, float64.
            localisation: ``[G]``, float64.
            chains: K.

        Returns:
            The target.
        """
        groups = torch.arange(len(members), device=members.device)
        numbers = torch.arange(chains, device=members.device)
        return cls(
            field, members, nbeta, localisation, chains, groups.repeat_interleave(chains), numbers.repeat(len(members))
        )

    @property
    def groups(self) -> int:
        """G."""
        return len(self.members)

    @property
    def start(self) -> Tensor:
        """Every chain at its centre, ``[C, P]``: z is 0 there."""
        centres = self.field.centres
        return centres.new_zeros(len(self.group_of), centres.shape[1])

    def of_chains(self, per_group: Tensor) -> Tensor:
        """A number a group as a number a chain.

        Args:
            per_group: ``[G]``.

        Returns:
            ``[C]``.
        """
        return per_group[self.group_of]

    @property
    def frequency(self) -> Tensor:
        """Of the directions that only the localiser holds, ``[C]``, float64: 1 where they are whitened."""
        if self.whitening is not None:
            return torch.ones_like(self.localisation)[self.group_of]
        return self.of_chains(self.localisation).sqrt()

    def displacement(self, position: Tensor) -> Tensor:
        """``w - w*``.

        Args:
            position: z, ``[C, P]``.

        Returns:
            ``[C, P]``.
        """
        return position if self.whitening is None else self.whitening.apply(position, self.group_of)

    def position(self, displacement: Tensor) -> Tensor:
        """z, the inverse of :meth:`displacement`.

        Args:
            displacement: ``w - w*``, ``[C, P]``.

        Returns:
            ``[C, P]``.
        """
        return displacement if self.whitening is None else self.whitening.apply(displacement, self.group_of, -1.0)

    def weights(self, position: Tensor) -> Tensor:
        """W.

        Args:
            position: z, ``[C, P]``.

        Returns:
            ``[C, P]``.
        """
        return self.field.centres[self.of_chains(self.members)] + self.displacement(position)

    def energy(self, position: Tensor, index: Tensor | None = None) -> Energy:
        """Energy and its gradient; a minibatch stands for the whole data.

        Args:
            position: z, ``[C, P]``.
            index: Examples ``[C, B]``; None for all.

        Returns:
            The energy.
        """
        members, kind = self.of_chains(self.members), position.dtype
        nbeta, gamma = self.of_chains(self.nbeta), self.of_chains(self.localisation)
        away = self.displacement(position)
        centres = self.field.centres
        at = away + (centres if len(centres) == 1 else centres[members])
        losses, gradient = self.field.gradient(at, members, index)
        lengths = torch.linalg.vector_norm(away, dim=1, dtype=torch.float64)
        value = nbeta * losses.mean(1) + 0.5 * gamma * lengths.square()
        slope = gradient.mul_(nbeta.to(kind)[:, None]).addcmul_(gamma.to(kind)[:, None], away)
        return Energy(value, losses, self.displacement(slope))  # S is symmetric

    def hessian_product(self, position: Tensor, direction: Tensor) -> Tensor:
        """Hessian of the energy in z times a direction.

        Args:
            position: z, ``[C, P]``.
            direction: ``[C, P]``.

        Returns:
            ``[C, P]``.
        """
        members, kind = self.of_chains(self.members), position.dtype
        along = self.displacement(direction)
        curved = self.field.hessian_product(self.weights(position), members, along)
        nbeta, gamma = self.of_chains(self.nbeta).to(kind), self.of_chains(self.localisation).to(kind)
        return self.displacement(nbeta[:, None] * curved + gamma[:, None] * along)

    def at(self, chains: Tensor) -> "Target":
        """The same for some of the chains at hand.

        Args:
            chains: Their places.

        Returns:
            A target of fewer chains.
        """
        return replace(self, group_of=self.group_of[chains], number_of=self.number_of[chains])

    def subset(self, groups: Tensor) -> "Target":
        """All chains of some groups, which may repeat.

        Args:
            groups: Their numbers.

        Returns:
            A target of other groups.
        """
        chosen = Target.of(self.field, self.members[groups], self.nbeta[groups], self.localisation[groups], self.chains)
        return chosen if self.whitening is None else replace(chosen, whitening=self.whitening.subset(groups))


def chain_numbers(groups: Tensor, chains: int) -> Tensor:
    """Numbers of the chains of some groups.

    Args:
        groups: Their numbers.
        chains: K.

    Returns:
        ``[len(groups) * K]``.
    """
    return (groups[:, None] * chains + torch.arange(chains, device=groups.device)).flatten()
