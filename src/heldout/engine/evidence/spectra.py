"""Singular values of the weight layers, of random matrices, and of what training added."""

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import eigvalsh_tridiagonal
from torch import Tensor

from heldout.catalog import evidence

SMALL_SIDE, SMALL = 64, 2**16  # up to here a float64 decomposition costs no more than the rest of an audit
BLOCK_BYTES = 16 * 2**20  # of float64 copies of the weights that exist at one time
ROWS = 128  # of the Gram matrix that are formed at once; what lies above the diagonal is then never computed


def singular_values(matrices: Float[Tensor, "M rows columns"]) -> Float[Tensor, "M R"]:
    r"""Singular values in descending order.

    Small matrices (smaller side up to 64) are decomposed in float64. Of larger ones, the eigenvalues of the smaller Gram
    matrix are taken, formed in float64 from converted blocks of columns:

    .. math:: \sigma_i = \sqrt{\lambda_i(W W^T)}

    Its error is about 1e-15 of the largest eigenvalue. So singular values above 1e-4 of the largest agree with those of a
    float64 decomposition to 1e-6 relative; smaller ones have an absolute error of up to 1e-7 of the largest, which
    for float32 weights is the size of their rounding.

    Args:
        matrices: A stack, any floating-point precision.

    Returns:
        Float64, R being the smaller side.

    Example:
        >>> singular_values(torch.diag(torch.tensor([3.0, 4.0]))[None]).tolist()
        [[4.0, 3.0]]
    """
    rows, columns = matrices.shape[1:]
    if min(rows, columns) <= SMALL_SIDE and rows * columns <= SMALL:
        together = max(1, BLOCK_BYTES // (8 * rows * columns))
        return torch.cat([torch.linalg.svdvals(part.double()) for part in torch.split(matrices, together)])
    wide = matrices if rows <= columns else matrices.mT
    together = max(1, BLOCK_BYTES // (8 * wide.shape[1] ** 2))
    squares = [torch.linalg.eigvalsh(_lower_gram(part)) for part in torch.split(wide, together)]
    return torch.cat(squares).flip(-1).clamp(min=0).sqrt()


def _lower_gram(wide: Tensor) -> Tensor:
    """The lower triangle of ``W W^T`` in float64 (the upper one is not filled), ``[M, R, C] -> [M, R, R]``."""
    members, rows, columns = wide.shape
    gram = torch.zeros(members, rows, rows, dtype=torch.float64, device=wide.device)
    width = max(64, BLOCK_BYTES // (8 * members * rows))
    for start in range(0, columns, width):
        block = wide[:, :, start : start + width].double()
        for first in range(0, rows, ROWS):
            last = min(first + ROWS, rows)
            gram[:, first:last, :last] += block[:, first:last] @ block[:, :last].mT
    return gram


def random_singular_values(rows: int, columns: int, generator: np.random.Generator) -> np.ndarray:
    r"""Singular values of one matrix of independent standard Gaussians, without forming it.

    Reflections from left and right turn such a matrix into a bidiagonal one of independent chi variables, which has the
    same singular values (Silverstein 1985; Dumitriu & Edelman 2002):

    .. math:: b_{ii} \sim \chi_{C - i + 1}, \quad b_{i+1,i} \sim \chi_{R - i}, \quad i = 1 \ldots R \le C

    Args:
        rows: Of the matrix.
        columns: Of the matrix.
        generator: Randomness.

    Returns:
        Float64 in descending order.
    """
    smaller, larger = sorted((rows, columns))
    below = np.arange(smaller - 1)
    squares = generator.chisquare(larger - np.arange(smaller))
    off = generator.chisquare(smaller - 1 - below)
    diagonal = squares + np.concatenate([[0.0], off])
    between = np.sqrt(squares[:-1] * off)
    eigenvalues = eigvalsh_tridiagonal(diagonal, between) if smaller > 1 else diagonal
    return np.sqrt(np.clip(eigenvalues, 0, None))[::-1].copy()


@evidence()
def spectra(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Singular values of the folded weight layers as matrices (out, in * receptive field), layer -> ``[M, R]``, descending."""
    return {layer: singular_values(matrices) for layer, matrices in weights.items()}


@evidence()
def spectra_at_init(weights_at_init: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same at initialisation."""
    return {layer: singular_values(matrices) for layer, matrices in weights_at_init.items()}


@evidence()
def initial_squares(weights_at_init: dict[str, Tensor]) -> dict[str, Tensor]:
    """Squared Frobenius norm of the layers at initialisation, layer -> ``[M]``."""
    return {layer: entry_moments(start)[1] * start[0].numel() for layer, start in weights_at_init.items()}


@evidence()
def initial_difference_squares(weights: dict[str, Tensor], weights_at_init: dict[str, Tensor]) -> dict[str, Tensor]:
    """Squared Frobenius norm of what training added, ``W - W0``, layer -> ``[M]``."""
    # subtraction of two floats rounds once, relative to the difference: no need of float64 before it
    return {
        layer: entry_moments(matrices - weights_at_init[layer])[1] * matrices[0].numel()
        for layer, matrices in weights.items()
    }


@evidence()
def initial_difference_norms(weights: dict[str, Tensor], weights_at_init: dict[str, Tensor]) -> dict[str, Tensor]:
    """Spectral norm of what training added, ``W - W0``, layer -> ``[M]``."""
    return {layer: singular_values(matrices - weights_at_init[layer])[:, 0] for layer, matrices in weights.items()}


def entry_moments(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and mean square of all entries of each matrix, from converted blocks.

    Args:
        matrices: ``[M, rows, columns]``.

    Returns:
        Both ``[M]``, float64.
    """
    members, rows, columns = matrices.shape
    total = torch.zeros(2, members, dtype=torch.float64, device=matrices.device)
    for block in torch.split(matrices, max(1, BLOCK_BYTES // (8 * members * columns)), dim=1):
        numbers = block.double()
        total += torch.stack([numbers.sum((1, 2)), numbers.square().sum((1, 2))])
    mean, square = total / (rows * columns)
    return mean, square
