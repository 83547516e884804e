"""Curvature where chains are: it fixes step sizes and coordinates, and gives the coefficient of the quadratic law beside theirs."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.sampling.lanczos import lanczos
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.whitening import Whitening

DENSE = 128  # parameters up to which the whole Hessian is formed
STEPS = 30  # of Lanczos: outstanding eigenvalues are then known to a per mille
DIRECTIONS = 40  # that are whitened at most
DIRECTION_ENTRIES = 2**26  # of all directions together
PROBES = 6


class Curvature(NamedTuple):
    """The Hessian H of the mean loss at the centres.

    Attributes:
        largest: Eigenvalue, ``[G]``, float64.
        smallest: Eigenvalue (Lanczos comes close to it where it is negative and stands out), ``[G]``.
        effective: ``1/2 tr[n beta H (n beta H + gamma)^-1]`` over its positive part, ``[G]``: the learning coefficient were the loss
            quadratic.
        effective_error: Its standard error, ``[G]``; 0 where the whole Hessian was formed.
        deficit: ``1/2 (n beta)^2 g (n beta H + gamma)^-1 g`` of the gradient g at the centre, ``[G]``: how far, in units of
            temperature, the centre lies above the minimum beside it. Infinite where there is none.
    """

    largest: Tensor
    smallest: Tensor
    effective: Tensor
    effective_error: Tensor
    deficit: Tensor


def curvature(target: Target, streams: Streams) -> Curvature:
    """The Hessian at the centres, formed, or by Lanczos with random probes.

    Args:
        target: Without whitening.
        streams: Random numbers.

    Returns:
        What was found.
    """
    field = target.field
    own, place = torch.unique(target.members, return_inverse=True)
    gradient = field.gradient(field.centres[own], own)[1]
    squared = gradient.double().square().sum(1)[:, None]
    if field.size <= DENSE:
        values, vectors = torch.linalg.eigh(_hessians(target, own))
        weights = torch.ones_like(values)[:, None]
        pulled = values, torch.einsum("mpk,mp->mk", vectors, gradient.double()).square()
        values = values[:, None]
    else:
        random = signs(streams, field.size, PROBES, gradient)
        start = torch.cat([random.repeat(len(own), 1), gradient])
        rows = torch.cat([own.repeat_interleave(PROBES), own])
        at, cut = field.centres[rows], len(own) * PROBES
        found = lanczos(lambda v: field.hessian_product(at, rows, v), start, min(STEPS, field.size))
        pulled = found.values[cut:], found.weights[cut:] * squared
        values = found.values[:cut].view(len(own), PROBES, -1)
        weights = found.weights[:cut].view_as(values) * field.size
    values, weights, slope = values[place], weights[place], (pulled[0][place], pulled[1][place])
    strength, gamma = target.nbeta[:, None, None], target.localisation[:, None, None]
    positive = values.clamp_min(0.0)
    shares = 0.5 * (weights * strength * positive / (strength * positive + gamma)).sum(2)
    precision = strength[:, 0] * slope[0] + gamma[:, 0]
    deficit = 0.5 * (strength[:, 0].square() * slope[1] / precision).sum(1)
    steep = slope[1] > 1e-9 * slope[1].sum(1, keepdim=True)
    probes = shares.shape[1]
    return Curvature(
        largest=values.amax((1, 2)),
        smallest=values.amin((1, 2)),
        effective=shares.mean(1),
        effective_error=shares.std(1) / probes**0.5 if probes > 1 else torch.zeros_like(target.nbeta),
        deficit=torch.where(((precision <= 0) & steep).any(1), torch.inf, deficit),
    )


def whitening(target: Target, displacement: Tensor | None, streams: Streams) -> Whitening:
    r"""Coordinates from the Hessians where each group's chains are.

    .. math:: A^{-1} = \operatorname{mean}_k \left(n\beta H_k^+ + \gamma\right)^{-1}

    The mean is over the local covariances of the chains, so that a direction counts as stiff only where it is stiff for all of them:
    on a singular loss what is stiff at one place is flat at another. Beyond 128 parameters it is taken in the space that Lanczos's
    method finds for the mean Hessian, whose cost it does not exceed.

    Args:
        target: Without whitening.
        displacement: Where the chains are, ``[C, P]``; None for all of them at their centres.
        streams: Random numbers.

    Returns:
        The maps.
    """
    size, centres = target.field.size, target.field.centres
    if displacement is None:  # one Hessian a member, for all its chains and temperatures
        members, place = torch.unique(target.members, return_inverse=True)
        at, groups, chains = centres[members], len(members), 1
    else:
        members, place = target.of_chains(target.members), torch.arange(target.groups, device=centres.device)
        at, groups, chains = centres[members] + displacement, target.groups, target.chains
    basis: list[Tensor] = []
    columns: list[Tensor] = []  # of every chain's Hessian in that basis, up to the diagonal

    def mean_product(rows: Tensor) -> Tensor:
        basis.append(rows)
        each = target.field.hessian_product(at, members, rows.repeat_interleave(chains, 0)).view(groups, chains, size)
        columns.append(torch.einsum("gkp,gjp->gkj", each, torch.stack(basis, 1)).double())
        return each.mean(1)

    if size <= DENSE:
        for row in torch.eye(size, dtype=centres.dtype, device=centres.device):
            mean_product(row.expand(groups, -1))
    else:
        steps = min(size, DIRECTIONS, max(2, DIRECTION_ENTRIES // (groups * size)))
        lanczos(mean_product, signs(streams, size, 1, centres).expand(groups, -1), steps)
    seen = columns[0].new_zeros(groups, chains, len(columns), len(columns))
    for last, column in enumerate(columns):
        seen[:, :, : last + 1, last] = seen[:, :, last, : last + 1] = column
    values, vectors = (found[place] for found in torch.linalg.eigh(seen))
    gamma = target.localisation[:, None]
    variances = 1 / (target.nbeta[:, None, None] * values.clamp_min(0.0) + gamma[:, :, None])
    mean = torch.einsum("gkij,gkj,gklj->gil", vectors, variances, vectors) / chains
    found, turn = torch.linalg.eigh(mean)
    directions = torch.einsum("gjp,gji->gpi", torch.stack(basis, 1)[place], turn.to(centres.dtype))
    return Whitening(directions, 1 / torch.minimum(found, 1 / gamma), target.localisation)


def stiffness(target: Target, position: Tensor, streams: Streams, steps: int = 12) -> Tensor:
    """Largest eigenvalue of the energy's Hessian in the chains' coordinates.

    Args:
        target: What is sampled.
        position: z, ``[C, P]``.
        streams: Random numbers.
        steps: Of Lanczos.

    Returns:
        ``[C]``, float64.
    """
    start = signs(streams, target.field.size, 1, position).expand(len(position), -1)
    found = lanczos(lambda v: target.hessian_product(position, v), start, min(steps, target.field.size))
    return found.values.amax(1)


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


def _hessians(target: Target, members: Tensor) -> Tensor:
    """``[M, P, P]``, float64."""
    size, centres = target.field.size, target.field.centres
    basis = torch.eye(size, dtype=centres.dtype, device=centres.device).repeat(len(members), 1)
    rows = members.repeat_interleave(size)
    formed = target.field.hessian_product(centres[rows], rows, basis).view(len(members), size, size).double()
    return 0.5 * (formed + formed.transpose(1, 2))
