"""Eigenvalues of the Hessians at the centres: they give the first coordinates, and most of the trace."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.sampling.lanczos import lanczos
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.whitening import Whitening

DENSE = 128  # parameters up to which the whole Hessian is formed
DIRECTIONS = 40  # that are whitened at most
DIRECTION_ENTRIES = 2**26  # of all directions together
CONVERGED = 0.03  # of an eigenvalue: residuals below which its vector is one


class Spectra(NamedTuple):
    """Eigenvalues of the Hessians at the centres: all of a small one, of a large one the outstanding ones, by Lanczos's method.

    Attributes:
        values: ``[M, k]``, float64.
        vectors: Orthonormal, ``[M, P, k]``.
        found: Which of them have converged, ``[M, k]``.
        members: Whose they are, ``[M]``.
        place: Of every group's member among them, ``[G]``.
    """

    values: Tensor
    vectors: Tensor
    found: Tensor
    members: Tensor
    place: Tensor


def spectra(target: Target, streams: Streams) -> Spectra:
    """One Hessian a member, for all its chains and temperatures.

    Args:
        target: Without whitening.
        streams: Random numbers.

    Returns:
        What was found.
    """
    field = target.field
    members, place = torch.unique(target.members, return_inverse=True)
    if field.size <= DENSE:
        values, vectors = torch.linalg.eigh(_hessians(target, members))
        return Spectra(
            values, vectors.to(field.centres.dtype), torch.ones_like(values, dtype=torch.bool), members, place
        )
    at = field.centres[members]
    start = signs(streams, field.size, 1, at).expand(len(members), -1)
    steps = room(field.size, len(members))
    found = lanczos(lambda v: field.hessian_product(at, members, v), start, steps)
    return Spectra(found.values, found.vectors, found.residuals < CONVERGED * found.values.abs(), members, place)


def at_centres(target: Target, known: Spectra) -> Whitening:
    """Coordinates from the Hessians at the centres.

    Args:
        target: Without whitening.
        known: Their eigenvalues.

    Returns:
        The maps, in which a quadratic law is round.
    """
    strength, gamma = target.nbeta[:, None], target.localisation
    precisions = strength * known.values[known.place].clamp_min(0.0) + gamma[:, None]
    return Whitening(known.vectors[known.place], precisions, gamma)


def signs(streams: Streams, size: int, probes: int, like: Tensor) -> Tensor:
    """Random signs.

    Args:
        streams: Random numbers.
        size: P.
        probes: How many rows.
        like: Whose type and device they get.

    Returns:
        ``[probes, P]``.
    """
    drawn = Streams(streams.seed, probes).normal("probes", 0, size)
    return torch.where(drawn < 0, -1.0, 1.0).to(like.device, like.dtype)


def room(size: int, stacks: int) -> int:
    """Outstanding eigenvectors that so many stacks of parameter vectors leave room for.

    Args:
        size: P.
        stacks: How many.

    Returns:
        At least 2, at most P.
    """
    return min(size, DIRECTIONS, max(2, DIRECTION_ENTRIES // (stacks * size)))


def _hessians(target: Target, members: Tensor) -> Tensor:
    """``[M, P, P]``, float64."""
    size, centres = target.field.size, target.field.centres
    basis = torch.eye(size, dtype=centres.dtype, device=centres.device).repeat(len(members), 1)
    rows = members.repeat_interleave(size)
    formed = target.field.hessian_product(centres[rows], rows, basis).view(len(members), size, size).double()
    return 0.5 * (formed + formed.transpose(1, 2))
