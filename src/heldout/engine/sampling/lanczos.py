"""Lanczos's method for a stack of symmetric operators."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Ritz(NamedTuple):
    """What Lanczos's method finds from a starting vector.

    Attributes:
        values: Ritz values, ascending, ``[R, m]``, float64.
        weights: Squared first components: with the values, the Gauss quadrature of the start's spectral measure, ``[R, m]``, float64.
        vectors: Orthonormal Ritz vectors, ``[R, P, m]``.
        residuals: ``|A v - value v|`` of each, ``[R, m]``, float64.
    """

    values: Tensor
    weights: Tensor
    vectors: Tensor
    residuals: Tensor


def lanczos(product: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Ritz:
    """Ritz values and vectors of symmetric operators, reorthogonalised throughout.

    Args:
        product: Applies each row's own operator, ``[R, P]`` -> ``[R, P]``.
        start: ``[R, P]``.
        steps: m, at most P.

    Returns:
        What was found. Where a row's space is exhausted before, the rest of its values are 0 with vectors of 0.

    Example:
        >>> found = lanczos(lambda v: v * torch.tensor([1.0, 3.0]), torch.ones(1, 2), 2)
        >>> found.values.round(decimals=4).tolist(), found.weights.round(decimals=4).tolist()
        ([[1.0, 3.0]], [[0.5, 0.5]])
    """
    tiny = torch.finfo(start.dtype).tiny
    basis = [start / start.norm(dim=1, keepdim=True).clamp_min(tiny)]
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    for _ in range(steps):
        image = product(basis[-1])
        diagonal.append((image * basis[-1]).double().sum(1))
        kept = torch.stack(basis, dim=1)
        for _ in range(2):  # twice is enough
            image = image - torch.einsum("rk,rkp->rp", torch.einsum("rkp,rp->rk", kept, image), kept)
        length = image.norm(dim=1, keepdim=True)
        scale = torch.stack(diagonal).abs().amax(0)[:, None].to(length.dtype)
        going = length > 20 * torch.finfo(length.dtype).eps * scale + tiny  # otherwise the space is exhausted
        beside.append(torch.where(going, length, 0.0)[:, 0].double())
        basis.append(torch.where(going, image / length.clamp_min(tiny), 0.0))
    tridiagonal = torch.diag_embed(torch.stack(diagonal, 1))
    if steps > 1:
        off = torch.stack(beside[:-1], 1)
        tridiagonal = tridiagonal + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    values, vectors = torch.linalg.eigh(tridiagonal.cpu())
    turned = torch.einsum("rkp,rkm->rpm", torch.stack(basis[:-1], 1), vectors.to(start.device, start.dtype))
    values, vectors = values.to(start.device), vectors.to(start.device)
    return Ritz(values, vectors[:, 0].square(), turned, beside[-1][:, None] * vectors[:, -1].abs())
