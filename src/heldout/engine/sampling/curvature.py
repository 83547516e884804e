"""Curvature where chains are: it fixes step sizes and coordinates, and gives the coefficient of the quadratic law beside theirs."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.sampling.lanczos import lanczos
from heldout.engine.sampling.randomness import Streams
from heldout.engine.sampling.spectra import DENSE, Spectra, room, signs
from heldout.engine.sampling.target import Target
from heldout.engine.sampling.whitening import Whitening

STEPS = 20  # of Lanczos, for sums over the spectrum: smooth functions of it, on the scale of gamma
PROBES = 3


class Curvature(NamedTuple):
    """The Hessian H of the mean loss at the centres.

    Attributes:
        largest: Eigenvalue, ``[G]``, float64.
        smallest: Eigenvalue (Lanczos comes close to it where it is negative and stands out), ``[G]``.
        effective: ``1/2 tr[n beta H (n beta H + gamma)^-1]``, ``[G]``: the learning coefficient were the loss quadratic. Eigenvalues
            so negative that the localiser hardly holds them count as -1/2.
        effective_error: Its standard error, ``[G]``; 0 where the whole Hessian was formed.
        deficit: ``1/2 (n beta)^2 g (n beta H + gamma)^-1 g`` of the gradient g at the centre, ``[G]``: how far, in units of
            temperature, the centre lies above the minimum beside it. Infinite where there is none.
    """

    largest: Tensor
    smallest: Tensor
    effective: Tensor
    effective_error: Tensor
    deficit: Tensor


def curvature(target: Target, known: Spectra, streams: Streams) -> Curvature:
    r"""The Hessian at the centres.

    Beyond 128 parameters the trace is the sum over the outstanding eigenvalues that were found, and over what is orthogonal to their
    vectors an estimate by Lanczos's quadrature from random probes (as in Hutch++, Meyer et al. 2021).

    Args:
        target: Without whitening.
        known: Eigenvalues at the centres.
        streams: Random numbers.

    Returns:
        What was found.
    """
    field, own, place = target.field, known.members, known.place
    gradient = field.gradient(field.centres[own], own)[1]
    values, weights = known.values[:, None], known.found.double()[:, None]
    if field.size <= DENSE:
        pulled = known.values, torch.einsum("mpk,mp->mk", known.vectors, gradient).double().square()
        rest = values[:, :, :0], weights[:, :, :0]
    else:
        pulled, rest = _quadratures(target, known, gradient, streams)
    strength, gamma = target.nbeta[:, None, None], target.localisation[:, None, None]

    def effective(values: Tensor, weights: Tensor) -> Tensor:
        held = torch.maximum(strength * values[place], -0.5 * gamma)
        return 0.5 * (weights[place] * held / (held + gamma)).sum(2)

    shares = effective(values, weights) + effective(*rest)
    slope = pulled[0][place], pulled[1][place]
    precision = strength[:, 0] * slope[0] + gamma[:, 0]
    deficit = 0.5 * (strength[:, 0].square() * slope[1] / precision).sum(1)
    steep = slope[1] > 1e-9 * slope[1].sum(1, keepdim=True)
    probes, nodes = shares.shape[1], torch.cat([known.values, rest[0].flatten(1)], 1)[place]
    return Curvature(
        largest=nodes.amax(1),
        smallest=nodes.amin(1),
        effective=shares.mean(1),
        effective_error=shares.std(1) / probes**0.5 if probes > 1 else torch.zeros_like(target.nbeta),
        deficit=torch.where(((precision <= 0) & steep).any(1), torch.inf, deficit),
    )


def _quadratures(
    target: Target, known: Spectra, gradient: Tensor, streams: Streams
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Nodes and weights of spectral measures: the gradient's ``[M, m]``, that of probes without what is known ``[M, PROBES, m]``."""
    field, own = target.field, known.members
    random = signs(streams, field.size, 1 + PROBES, gradient)[1:].repeat(len(own), 1)  # the first one began the spectra
    whose = torch.arange(len(own), device=own.device).repeat_interleave(PROBES)
    rows, at, cut = torch.cat([own[whose], own]), torch.cat([field.centres[own[whose]], field.centres[own]]), len(whose)
    found = known.found.to(random.dtype)[:, None]

    def orthogonal(vectors: Tensor) -> Tensor:
        grouped = vectors.view(len(own), PROBES, -1)
        along = torch.einsum("mpk,mrp->mrk", known.vectors, grouped) * found
        return (grouped - torch.einsum("mpk,mrk->mrp", known.vectors, along)).view_as(vectors)

    def product(vectors: Tensor) -> Tensor:
        image = field.hessian_product(at, rows, vectors)
        return torch.cat([orthogonal(image[:cut]), image[cut:]])

    start = torch.cat([orthogonal(random), gradient])
    nodes = lanczos(product, start, min(STEPS, field.size))
    weights = nodes.weights * start.double().square().sum(1)[:, None]
    shape = (len(own), PROBES, -1)
    return (nodes.values[cut:], weights[cut:]), (nodes.values[:cut].view(shape), weights[:cut].view(shape))


def whitening(target: Target, displacement: Tensor, streams: Streams) -> Whitening:
    r"""Coordinates from the Hessians where each group's chains are.

    .. math:: A^{-1} = \operatorname{mean}_k \left(n\beta H_k^+ + \gamma\right)^{-1}

    The mean is over the local covariances of the chains, so that a direction counts as stiff only where it is stiff for all of them:
    on a singular loss what is stiff at one place is flat at another. Beyond 128 parameters it is taken in the space that Lanczos's
    method finds for the mean Hessian, whose cost it does not exceed.

    Args:
        target: Without whitening.
        displacement: Where the chains are, ``[C, P]``.
        streams: Random numbers.

    Returns:
        The maps.
    """
    size, groups, chains = target.field.size, target.groups, target.chains
    members = target.of_chains(target.members)
    at = target.field.centres[members] + displacement
    basis: list[Tensor] = []
    columns: list[Tensor] = []  # of every chain's Hessian in that basis, up to the diagonal

    def mean_product(rows: Tensor) -> Tensor:
        basis.append(rows)
        each = target.field.hessian_product(at, members, rows.repeat_interleave(chains, 0)).view(groups, chains, size)
        columns.append(torch.einsum("gkp,gjp->gkj", each, torch.stack(basis, 1)).double())
        return each.mean(1)

    if size <= DENSE:
        for row in torch.eye(size, dtype=at.dtype, device=at.device):
            mean_product(row.expand(groups, -1))
    else:
        lanczos(mean_product, signs(streams, size, 1, at).expand(groups, -1), room(size, groups))
    seen = columns[0].new_zeros(groups, chains, len(columns), len(columns))
    for last, column in enumerate(columns):
        seen[:, :, : last + 1, last] = seen[:, :, last, : last + 1] = column
    values, vectors = torch.linalg.eigh(seen)
    gamma = target.localisation[:, None]
    variances = 1 / (target.nbeta[:, None, None] * values.clamp_min(0.0) + gamma[:, :, None])
    mean = torch.einsum("gkij,gkj,gklj->gil", vectors, variances, vectors) / chains
    found, turn = torch.linalg.eigh(mean)
    directions = torch.einsum("gjp,gji->gpi", torch.stack(basis, 1), turn.to(at.dtype))
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
