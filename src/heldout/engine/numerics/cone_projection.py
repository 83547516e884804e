"""Projections of vectors on polyhedral cones: many non-negative least squares at once."""

from typing import NamedTuple

import torch
from torch import Tensor

TOLERANCE = 1e-9  # of the cosine between a generator and what is left
RIDGE = 1e-13  # of a generator's squared norm; sets of generators that are nearly dependent stay solvable


class ConeProjection(NamedTuple):
    """Where vectors fall on cones.

    Attributes:
        weights: Of the generators, not negative, ``[M, T, m]``.
        converged: Whether no generator is left that would bring a vector nearer, ``[M, T]``.
    """

    weights: Tensor
    converged: Tensor


def project(generators: Tensor, signs: Tensor, vectors: Tensor) -> ConeProjection:
    r"""Weights of the nearest point of a cone, by the active sets of Lawson and Hanson 1974 (chapter 23), all cones together.

    .. math:: \min_{\lambda \ge 0} \Big\| t - \sum_j \lambda_j y_j x_j \Big\|^2

    Every step solves the least squares of all active sets in one batch; a cone whose solution is negative somewhere goes as far
    as it may and drops what reached zero, the others add the generator that points most towards what is left. At the end no
    generator does, by more than a cosine of 1e-9: what is left is then the nearest point of the polar cone.

    Args:
        generators: x, ``[M, m, N]``, float64; a zero vector takes no part.
        signs: y, ``[T, m]``.
        vectors: t, ``[T, N]``, the same for every set of generators.

    Returns:
        The weights. The projection is ``sum_j weights_j y_j x_j``.

    Example:
        The quarter plane: the negative part is cut off.

        >>> eye = torch.eye(2, dtype=torch.float64)
        >>> project(eye[None], torch.ones(1, 2), torch.tensor([[3.0, -4.0]], dtype=torch.float64)).weights.round(decimals=9).tolist()
        [[[3.0, 0.0]]]
    """
    length = generators.norm(dim=-1)
    unit = generators / length.clamp(min=torch.finfo(torch.float64).tiny).unsqueeze(-1)
    gram = unit @ unit.transpose(1, 2)
    sets, draws, count = len(generators), len(vectors), generators.shape[1]
    y = signs.to(generators).repeat(sets, 1)
    aim = y * (vectors @ unit.transpose(1, 2)).flatten(0, 1)
    enough = TOLERANCE * vectors.norm(dim=1).repeat(sets)
    owner = torch.arange(sets, device=y.device).repeat_interleave(draws)
    weights, active = torch.zeros_like(aim), torch.zeros_like(aim, dtype=torch.bool)
    working = torch.arange(len(aim), device=y.device)
    for _ in range(3 * count + 10):
        solved = _least_squares(gram, owner[working], y[working], aim[working], active[working])
        before, on = weights[working], active[working]
        stuck = on & (solved <= 0)
        blocked = stuck.any(1)
        share = torch.where(stuck, before / (before - solved).clamp(min=torch.finfo(torch.float64).tiny), 1.0)
        reach = share.amin(1, keepdim=True)
        moved = torch.where(blocked.unsqueeze(1), before + reach * (solved - before), solved)
        kept = on & (moved > 0) & ~(stuck & (share <= reach))
        moved = torch.where(kept, moved, 0.0)
        towards = aim[working] - _products(gram, owner[working], y[working] * moved) * y[working]
        towards = torch.where(kept | (length[owner[working]] == 0), float("-inf"), towards)
        most, which = towards.max(1)
        adds = ~blocked & (most > enough[working])
        kept[adds.nonzero()[:, 0], which[adds]] = True
        weights[working], active[working] = moved, kept
        working = working[blocked | adds]
        if not len(working):
            break
    left = torch.ones(len(aim), dtype=torch.bool, device=y.device)
    left[working] = False
    scaled = weights / length.clamp(min=torch.finfo(torch.float64).tiny)[owner]
    return ConeProjection(scaled.reshape(sets, draws, count), left.reshape(sets, draws))


def _least_squares(gram: Tensor, owner: Tensor, y: Tensor, aim: Tensor, active: Tensor) -> Tensor:
    """Unconstrained weights of the active generators, zero elsewhere, ``[B, m]``."""
    size = int(active.sum(1).max())
    if size == 0:
        return torch.zeros_like(aim)
    listed = torch.sort(active.to(torch.uint8), dim=1, descending=True, stable=True).indices[:, :size]
    there = active.gather(1, listed)
    sign = torch.where(there, y.gather(1, listed), 0.0)
    block = gram[owner[:, None, None], listed[:, :, None], listed[:, None, :]] * sign[:, :, None] * sign[:, None, :]
    block.diagonal(dim1=1, dim2=2).add_(torch.where(there, RIDGE, 1.0))
    right = torch.where(there, aim.gather(1, listed), 0.0).unsqueeze(-1)
    factor, failed = torch.linalg.cholesky_ex(block)
    found = torch.cholesky_solve(right, factor).squeeze(-1)
    # what a failed factor gives is no solution; zeros drop every generator, and the set begins again
    found = torch.where((failed > 0).unsqueeze(1), 0.0, found)
    return torch.zeros_like(aim).scatter(1, listed, torch.where(there, found, 0.0))


def _products(gram: Tensor, owner: Tensor, weights: Tensor) -> Tensor:
    """Gram matrices of the owners times weights, ``[B, m]``; the rows of one owner lie together."""
    counts = torch.bincount(owner, minlength=len(gram)).tolist()
    return torch.cat([part @ own for part, own in zip(torch.split(weights, counts), gram, strict=True)])
