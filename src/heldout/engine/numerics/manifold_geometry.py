"""What a random linear reader finds of clouds of points: the anchors that it leans on, and how far and wide these spread."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.numerics.cone_projection import project

INSIDE = 1e-6  # of the lengths: what is left of a probe that lies in the cone is rounding
FLAT = 1e-10  # of the centres' squared length: axes shorter than this are rounding


class Anchored(NamedTuple):
    r"""Shares of every cloud in three quadratic forms, draw by draw, each ``[M, T, P]``.

    With ``s_i`` the anchor of cloud i, ``c_i`` its mean over draws, ``s_i - c_i`` the axis; t the probe, and sums over the clouds
    that have an anchor in the draw. A probe inside the cone is a sum of its generators in many ways, and none of them is the
    anchors': such draws have zeros in ``axes`` and ``damped``, and are to be left out of their means.

    Attributes:
        whole: Of the squared length of the projection, ``t's (ss')^+ s t``.
        axes: Of the same with the axes alone, ``t's_1 (s_1 s_1')^+ s_1 t``.
        damped: Of the axes with the centres in the way, ``t's_1 (s_1 s_1' + c c')^+ s_1 t``.
        centres: Mean anchors, ``[M, P, N]``.
        outside: 1 where something is left of the probe that tells any point from nothing, ``[M, T]``. Points in general position
            that cannot be read linearly fill their span, and leave nothing.
        converged: Whether the projection settled, ``[M, T]``.
    """

    whole: Tensor
    axes: Tensor
    damped: Tensor
    centres: Tensor
    outside: Tensor
    converged: Tensor


def dichotomies(clouds: int, draws: int, generator: torch.Generator) -> Tensor:
    """Random dichotomies of the clouds, none of them constant.

    Args:
        clouds: P, from 2 to 62.
        draws: T.
        generator: Of the draws.

    Returns:
        Entries 1 and -1, ``[T, P]``, float64.
    """
    codes = torch.randint(1, 2**clouds - 1, (draws, 1), generator=generator)
    return ((codes >> torch.arange(clouds)) & 1).double() * 2 - 1


def coordinates(points: Tensor) -> Tensor:
    """The points in an orthonormal basis of their own span, which Gram and Schmidt make from them in their order.

    A rotation of the points, or another order of their entries, leaves these as they are.

    Args:
        points: ``[M, m, N]``.

    Returns:
        ``[M, m, min(m, N)]``, float64.
    """
    upper = torch.linalg.qr(points.double().transpose(1, 2), mode="r").R
    sign = torch.where(upper.diagonal(dim1=1, dim2=2) < 0, -1.0, 1.0)
    return (upper * sign.unsqueeze(2)).transpose(1, 2)


def anchored(points: Tensor, signs: Tensor, probes: Tensor) -> Anchored:
    r"""Anchors of random probes on clouds of points (Chou et al. 2025; Chung, Lee and Sompolinsky 2018).

    .. math:: \mathrm{proj}(t) = \arg\min \|t - v\|, \quad v \in \mathrm{cone}\{y_i x : x \in M_i\}, \quad
        \mathrm{proj}(t) = \sum_i \lambda_i y_i s_i, \quad s_i \in \mathrm{conv}(M_i)

    Args:
        points: ``[M, P, K, N]``, float64; a cloud of zeros is none.
        signs: Dichotomies y, ``[T, P]``.
        probes: Gaussian t, ``[T, N]``.

    Returns:
        The quadratic forms, cloud by cloud.
    """
    sets, clouds, each, _ = points.shape
    found = project(points.flatten(1, 2), signs.repeat_interleave(each, 1), probes)
    weights = found.weights.reshape(sets, -1, clouds, each)  # [M, T, P, K]
    total = weights.sum(-1)
    sums = torch.einsum("mtpk,mpkn->mtpn", weights, points)
    projection = torch.einsum("mtpn,tp->mtn", sums, signs)
    left = torch.einsum("mtn,mpkn->mtpk", probes - projection, points).abs().amax((2, 3))
    scale = probes.norm(dim=-1) * points.norm(dim=-1).amax((1, 2)).unsqueeze(1)
    outside = left > INSIDE * scale
    active = (total > 0) & outside.unsqueeze(-1)
    anchors = torch.where(active.unsqueeze(-1), sums / total.unsqueeze(-1), 0.0)
    centres = anchors.sum(1) / active.sum(1).clamp(min=1).unsqueeze(-1)
    axes = torch.where(active.unsqueeze(-1), anchors - centres.unsqueeze(1), 0.0)
    heard = torch.einsum("mtpn,tn->mtp", axes, probes)
    spread = axes @ axes.transpose(2, 3)
    between = torch.where(
        active.unsqueeze(2) & active.unsqueeze(3), (centres @ centres.transpose(1, 2)).unsqueeze(1), 0.0
    )
    floor = FLAT * centres.square().sum(-1).amax(1).reshape(sets, 1, 1)
    return Anchored(
        whole=torch.einsum("mtpn,mtn->mtp", sums, projection) * signs,
        axes=heard * _solved(spread, heard, floor),
        damped=heard * _solved(spread + between, heard, floor),
        centres=centres,
        outside=outside.double(),
        converged=found.converged,
    )


def _solved(matrices: Tensor, right: Tensor, floor: Tensor) -> Tensor:
    """Pseudo-inverses times vectors, eigenvalues below the floor taken for zero."""
    values, vectors = torch.linalg.eigh(matrices)
    inverse = torch.where(values > floor, 1.0 / values, 0.0)
    within = torch.einsum("mtpq,mtp->mtq", vectors, right)
    return torch.einsum("mtpq,mtq->mtp", vectors, inverse * within)
