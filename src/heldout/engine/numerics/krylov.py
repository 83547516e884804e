"""Lanczos for many symmetric operators and many starting vectors at once: Ritz values with residuals, and Gauss quadrature."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]  # vectors [M, D, P] -> A v, likewise, float64

#: A remainder this small against the operator is rounding: products in float32 are good to about a tenth of it.
NOTHING = 1e-6
EVERY = 2  # steps between two looks at the residuals


class Krylov(NamedTuple):
    """Orthonormal bases of Krylov spaces, and the tridiagonal matrices that the operators are in them.

    Attributes:
        basis: Rows ``[M, D, K, P]``, float64; those from ``used`` on are zero.
        diagonal: ``[M, D, K]``, float64; zero from ``used`` on.
        beside: Entry k couples k and k + 1; the last one in use is the norm of what the next vector would have been.
        used: Steps that were made before the space was exhausted or the search settled, ``[M, D]``.
        settled: Whether the residual of the largest Ritz value fell below the tolerance, or the space was exhausted.
    """

    basis: Tensor
    diagonal: Tensor
    beside: Tensor
    used: Tensor
    settled: Tensor


class Ritz(NamedTuple):
    """Eigenpairs of the tridiagonal matrices.

    Attributes:
        values: ``[M, D, K]``, ascending; of steps not in use, copies of the first Rayleigh quotient without any weight.
        weights: Squared first components, which add up to 1: the Gauss quadrature of the starting vector's spectral measure.
        residuals: ``|A u - theta u|`` of each Ritz vector u: some eigenvalue lies within it of theta.
    """

    values: Tensor
    weights: Tensor
    residuals: Tensor


def lanczos(product: Product, start: Tensor, steps: int, *, tolerance: float = 0.0, least: int = 4) -> Krylov:
    r"""Lanczos's recurrence with full reorthogonalisation, made twice, for a batch of operators and starting vectors.

    .. math:: A Q = Q T + \beta_k q_{k+1} e_k^T

    Each of the batch stops where its own residual says so, whatever the others need, so that its numbers do not depend on the
    company; products of a batch that has stopped are made with zeros. It cannot see eigenvectors that are orthogonal to the
    starting vector, and finds one of each multiple eigenvalue.

    Args:
        product: The operators; symmetric.
        start: ``[M, D, P]``, not zero.
        steps: At most so many, and at most P.
        tolerance: Stop where the largest Ritz value's residual is at most this share of it; 0 makes all the steps.
        least: Steps that are made in any case.

    Returns:
        Bases and tridiagonal matrices.

    Example:
        Two steps exhaust a plane: the Ritz values are the eigenvalues 3 and 1.

        >>> matrix = torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
        >>> space = lanczos(lambda v: v @ matrix, torch.tensor([[[1.0, 0.0]]], dtype=torch.float64), 5)
        >>> space.used.item(), [round(value, 12) for value in ritz(space).values.flatten().tolist()]
        (2, [1.0, 3.0])
    """
    steps = min(steps, start.shape[-1])
    batch = start.shape[:-1]
    basis = start.new_empty(*batch, steps, start.shape[-1])  # pages that no step writes to are never taken
    diagonal, beside = start.new_zeros(*batch, steps), start.new_zeros(*batch, steps)
    used, settled = (
        torch.full(batch, steps, device=start.device),
        torch.zeros(batch, dtype=torch.bool, device=start.device),
    )
    scale, going, made = start.new_zeros(batch), ~settled, 0
    vector = start / start.norm(dim=-1, keepdim=True)
    for step in range(steps):
        basis[..., step, :], made = vector, step + 1
        image = product(vector)
        diagonal[..., step] = (image * vector).sum(-1)
        so_far = basis[..., :made, :]
        for _ in range(2):  # twice is enough (Parlett)
            image = image - ((so_far @ image.unsqueeze(-1)).mT @ so_far).squeeze(-2)
        length = image.norm(dim=-1)
        beside[..., step] = length
        scale = torch.maximum(scale, diagonal[..., step].abs() + length)
        stop = going & ((length <= NOTHING * scale) | (made == start.shape[-1]))
        if tolerance and made >= least and (made - least) % EVERY == 0:
            space = Krylov(basis, diagonal[..., :made], beside[..., :made], used.clamp(max=made), settled)
            found = ritz(space)
            stop |= going & (found.residuals[..., -1] <= tolerance * found.values[..., -1].abs())
        broken = ~length.isfinite()  # such as of a network that diverged: it has no numbers, the others have theirs
        settled, stop = settled | (stop & ~broken), stop | (going & broken)
        used, going = torch.where(stop, made, used), going & ~stop
        if not bool(going.any()):
            break
        vector = torch.where(going.unsqueeze(-1), image / length.clamp(min=1e-300).unsqueeze(-1), 0.0)
    return Krylov(basis[..., :made, :], diagonal[..., :made], beside[..., :made], used.clamp(max=made), settled)


def ritz(space: Krylov) -> Ritz:
    """Eigenpairs of the tridiagonal matrices.

    Args:
        space: As :func:`lanczos` gave it.

    Returns:
        Values, weights of the Gauss quadrature, residuals.
    """
    matrix, last = tridiagonal(space), (space.used - 1).unsqueeze(-1)
    values, vectors = _eigenpairs(matrix)
    places = last.unsqueeze(-1).expand(*last.shape[:-1], 1, values.shape[-1])
    residual = space.beside.gather(-1, last) * vectors.gather(-2, places).squeeze(-2).abs()
    return Ritz(values, vectors[..., 0, :].square(), residual)


def radau(space: Krylov, end: Tensor) -> Ritz:
    r"""Gauss-Radau quadrature: one node is put at an end of the spectrum, the others are free.

    .. math:: \tilde\alpha_{K+1} = a + \beta_K^2 \, e_K^T (T_K - a I)^{-1} e_K

    Golub and Meurant (1994). For a function whose derivatives alternate in sign, such as ``1 / (x + c)``, Gauss quadrature lies
    below the integral and this one, with the node left of the spectrum, above it.

    Args:
        space: As :func:`lanczos` gave it.
        end: a, not above the smallest eigenvalue, ``[M, D]``.

    Returns:
        K + 1 values with their weights; their residuals are zero, there being none to speak of.
    """
    matrix = tridiagonal(space)
    steps = matrix.shape[-1]
    last = (space.used - 1).unsqueeze(-1)
    coupling = torch.where(
        space.used == steps, space.beside.gather(-1, last).squeeze(-1), 0.0
    )  # exhausted: exact as it is
    unit = torch.zeros_like(matrix[..., :1])
    unit[..., -1, 0] = 1.0
    shifted = matrix - end[..., None, None] * torch.eye(steps, dtype=matrix.dtype, device=matrix.device)
    corner = end + coupling.square() * torch.linalg.solve(shifted, unit)[..., -1, 0]
    larger = matrix.new_zeros(*matrix.shape[:-2], steps + 1, steps + 1)
    larger[..., :steps, :steps] = matrix
    larger[..., steps, steps] = corner
    larger[..., steps, steps - 1] = larger[..., steps - 1, steps] = coupling
    values, vectors = _eigenpairs(larger)
    return Ritz(values, vectors[..., 0, :].square(), torch.zeros_like(values))


def tridiagonal(space: Krylov) -> Tensor:
    """The operators in their Krylov spaces.

    Args:
        space: As :func:`lanczos` gave it.

    Returns:
        ``[M, D, K, K]``; steps not in use are decoupled, with the first Rayleigh quotient on the diagonal.
    """
    step = torch.arange(space.diagonal.shape[-1], device=space.diagonal.device)
    inside = step < space.used.unsqueeze(-1)
    diagonal = torch.where(inside, space.diagonal, space.diagonal[..., :1])
    beside = torch.where(step < (space.used - 1).unsqueeze(-1), space.beside, 0.0)[..., :-1]
    return diagonal.diag_embed() + beside.diag_embed(1) + beside.diag_embed(-1)


def _eigenpairs(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and vectors of small matrices, where the CPU is quick; NaN for those that are not finite."""
    fine = matrix.isfinite().all(-1).all(-1)
    values, vectors = torch.linalg.eigh(matrix.where(fine[..., None, None], 0.0).cpu())
    return values.to(matrix.device).where(fine.unsqueeze(-1), torch.nan), vectors.to(matrix.device)
