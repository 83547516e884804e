"""Coordinates in which a posterior is round: a constant change of variables from the curvature that chains meet."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    r"""Symmetric maps :math:`S = A^{-1/2}` for precisions ``A`` that are known in k directions and equal to gamma in all others.

    .. math:: S = \gamma^{-1/2} \left(I + U \operatorname{diag}\left(\sqrt{\gamma / a} - 1\right) U^\top\right)

    With :math:`w = w^* + S z` a chain moves in z. As S does not depend on the position, the law of w is the one that was asked for,
    whatever S is; a good one lets a step be as large in the stiff directions as in the flat ones.

    Attributes:
        directions: U, orthonormal, ``[G, P, k]``.
        precisions: a, ``[G, k]``, float64.
        localisation: gamma, ``[G]``, float64.
    """

    directions: Tensor
    precisions: Tensor
    localisation: Tensor

    def apply(self, rows: Tensor, group_of: Tensor, power: float = 1.0) -> Tensor:
        """``S^power`` times vectors.

        Args:
            rows: ``[C, P]``.
            group_of: Whose map each row gets, ``[C]``.
            power: 1, or -1 for the inverse.

        Returns:
            ``[C, P]``.
        """
        kind = rows.dtype
        base = self.localisation.pow(-0.5 * power).to(kind)
        factors = ((self.precisions / self.localisation[:, None]).pow(-0.5 * power) - 1).to(kind)
        if len(base) == 1:
            along = rows @ self.directions[0]
            return (rows + (along * factors[0]) @ self.directions[0].T) * base[0]
        place = _places(group_of)  # rows of a group side by side, as many for each as the largest has
        grouped = rows.new_zeros(len(base), int(place.max()) + 1, rows.shape[1])
        grouped[group_of, place] = rows
        along = torch.einsum("gpk,gcp->gck", self.directions, grouped) * factors[:, None]
        moved = (grouped + torch.einsum("gpk,gck->gcp", self.directions, along)) * base[:, None, None]
        return moved[group_of, place]

    def subset(self, groups: Tensor) -> "Whitening":
        """The maps of some groups.

        Args:
            groups: Their numbers.

        Returns:
            Fewer maps.
        """
        return Whitening(self.directions[groups], self.precisions[groups], self.localisation[groups])

    @property
    def longest(self) -> Tensor:
        """The largest variance that a direction of z can have, that of the localiser alone, ``[G]``."""
        return (self.precisions.amax(1) / self.localisation).clamp_min(1.0)


def _places(group_of: Tensor) -> Tensor:
    """The number of every row within its group, in order of appearance."""
    same = group_of[:, None] == group_of[None, :]
    return same.tril(-1).sum(1)
