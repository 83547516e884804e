"""Spectra of the Hessian and of the Gauss-Newton matrix: Gauss quadratures seen from random vectors."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.curvature import BASIS_BYTES, fits, groups_of, probes
from heldout.engine.evidence.curvature_products import Product, products_of
from heldout.engine.numerics.krylov import lanczos, radau, ritz
from heldout.engine.subject import Subject

DRAWS, NODES = 6, 24  # starting vectors, and steps from each
SWEEPS = 2 * DRAWS * NODES


class Quadrature(NamedTuple):
    """Spectra seen from random vectors: an average of ``sum_k weights_k f(values_k)`` over D is ``tr f(A) / P``.

    Attributes:
        values: Nodes ``[M, D, K]``.
        weights: Which add up to 1 over K, ``[M, D, K]``.
        outer_values: Nodes of Gauss-Radau quadrature with one at zero, ``[M, D, K + 1]``.
        outer_weights: Its weights.
        size: P.
        examples: N; the matrix is that of the mean over so many.
    """

    values: Tensor
    weights: Tensor
    outer_values: Tensor
    outer_weights: Tensor
    size: int
    examples: int


@evidence(forward=1, backward=1 + SWEEPS, thorough=True, requires=fits)
def hessian_quadrature(subject: Subject, seed: int) -> Quadrature:
    """The Hessian's spectrum from some random vectors (stochastic Lanczos quadrature)."""
    return quadrature(subject, seed, "hessian")


@evidence(forward=1, backward=1 + SWEEPS, thorough=True, requires=fits)
def ggn_quadrature(subject: Subject, seed: int) -> Quadrature:
    """The Gauss-Newton matrix's spectrum from the same vectors."""
    return quadrature(subject, seed, "gauss-newton")


def quadrature(subject: Subject, seed: int, kind: str, *, draws: int = DRAWS, nodes: int = NODES) -> Quadrature:
    """Gauss quadratures of the spectrum from random signs (Ubaru, Chen and Saad 2017; Ghorbani, Krishnan and Xiao 2019).

    Args:
        subject: What is under study.
        seed: Of the signs.
        kind: ``"hessian"`` or ``"gauss-newton"``.
        draws: D.
        nodes: K.

    Returns:
        Nodes and weights.
    """
    population = subject.population
    rounding, found = 2 * torch.finfo(population.dtype).eps, []
    for members in groups_of(population, draws * nodes):
        count = len(range(*members.indices(len(population))))
        product = products_of(subject, members, kind)
        together = max(1, BASIS_BYTES // (count * nodes * population.size * 8))
        signs = torch.split(probes(population, count, draws, seed), together, dim=1)
        parts = [two_rules(product, few, nodes, rounding) for few in signs]
        found.append([_joined(column, 1) for column in zip(*parts, strict=True)])
    values, weights, outer_values, outer_weights = (_joined(column, 0) for column in zip(*found, strict=True))
    return Quadrature(values, weights, outer_values, outer_weights, population.size, len(subject.train))


def two_rules(product: Product, start: Tensor, nodes: int, rounding: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gauss quadrature, and Gauss-Radau with a node at zero.

    Args:
        product: The matrices.
        start: ``[M, D, P]``.
        nodes: K, at most.
        rounding: Of the products, against the largest eigenvalue: so far below zero eigenvalues that are zero may be found.

    Returns:
        Nodes and weights of the one, nodes and weights of the other.
    """
    space = lanczos(product, start, nodes)
    inner = ritz(space)
    smallest, largest = inner.values[..., 0], inner.values[..., -1]
    end = torch.minimum(2 * smallest, -rounding * largest.abs() - 1e-300)  # left of all that rounding made negative
    outer = radau(space, end)
    return inner.values, inner.weights, outer.values, outer.weights


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    """One tensor of parts with more or fewer nodes; those that are added have no weight."""
    width = max(part.shape[-1] for part in parts)
    return torch.cat([F.pad(part, (0, width - part.shape[-1])) for part in parts], dim=dim)
