"""Curvature of the training loss: largest eigenvalue and trace of the Hessian and of the Gauss-Newton matrix."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.curvature_products import Product, flat_magnitudes, products_of, weighted
from heldout.engine.numerics.krylov import lanczos, ritz
from heldout.engine.population import Population, stream
from heldout.engine.subject import Subject
from heldout.records import Estimate, NotApplicable, estimate

STEPS = 64  # of the search for the largest eigenvalue, at most
LEAST = 16  # of them in any case: measured, eight more divide the variance of the trace by 10 to 20
TOLERANCE = 1e-3  # residual against eigenvalue where it stops; the eigenvalue's own error is near the square of that
PROBES = 12  # of the trace's remainder
BASIS_BYTES = 512 * 2**20  # of all bases at once; one network's may be larger
LARGEST = 16_000_000  # parameters: 64 vectors of float64 are then 8 GB
USUAL = 2 * (LEAST + PROBES)  # backward sweeps of most searches


#: Why the traces are not held to five digits: beyond the directions that have converged a Krylov space follows the rounding of
#: float32 products, and the standard error, which is what it leaves, with it. Tests hold them to three, and float64 networks to six.
ROUNDING = (
    "the standard error follows float32 rounding in its fifth digit; tests/measures/test_hessian.py holds it to three"
)


class Curvature(NamedTuple):
    """Largest eigenvalue and trace of a symmetric matrix that is known by its products.

    Attributes:
        largest: Largest Ritz value, which is not above the largest eigenvalue, ``[M]``.
        residual: ``|A u - theta u|``: an eigenvalue lies so close, ``[M]``.
        settled: Whether the residual fell to a thousandth of the eigenvalue, ``[M]``.
        captured: Trace of the matrix in the Krylov space of that search, ``[M]``.
        remainders: Independent unbiased estimates of the rest of the trace, ``[M, D]``.
    """

    largest: Tensor
    residual: Tensor
    settled: Tensor
    captured: Tensor
    remainders: Tensor


def fits(subject: Subject) -> None:
    """Demand a network whose Krylov space can be held.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is too large.
    """
    if subject.population.size > LARGEST:
        raise NotApplicable(
            f"{subject.population.size} parameters are more than {LARGEST}, whose Krylov space takes 8 GB",
            do="use expected-sharpness, which tends to the trace",
        )


@evidence(forward=1, backward=1 + USUAL, thorough=True, requires=fits)
def hessian_curvature(subject: Subject, seed: int) -> Curvature:
    """Of the Hessian of the mean training loss with respect to all parameters as trained."""
    return _curvature(subject, seed, "hessian", adaptive=False)


@evidence(forward=1, backward=1 + USUAL, thorough=True, requires=fits)
def adaptive_hessian_curvature(subject: Subject, seed: int) -> Curvature:
    """Of ``diag(|w|) H diag(|w|)``: the Hessian with respect to relative changes of the parameters."""
    return _curvature(subject, seed, "hessian", adaptive=True)


@evidence(forward=1, backward=1 + USUAL, thorough=True, requires=fits)
def ggn_curvature(subject: Subject, seed: int) -> Curvature:
    """Of the generalised Gauss-Newton matrix of the mean training loss."""
    return _curvature(subject, seed, "gauss-newton", adaptive=False)


@evidence(forward=1, backward=1 + USUAL, thorough=True, requires=fits)
def adaptive_ggn_curvature(subject: Subject, seed: int) -> Curvature:
    """Of ``diag(|w|) G diag(|w|)``."""
    return _curvature(subject, seed, "gauss-newton", adaptive=True)


def _curvature(subject: Subject, seed: int, kind: str, *, adaptive: bool) -> Curvature:
    population = subject.population
    found = []
    for members in groups_of(population, STEPS):
        product = products_of(subject, members, kind)
        if adaptive:
            product = weighted(product, flat_magnitudes(population, members))
        count = len(range(*members.indices(len(population))))
        found.append(curvature_of(product, starts(population, count, seed), probes(population, count, PROBES, seed)))
    return Curvature(*(torch.cat(column) for column in zip(*found, strict=True)))


def curvature_of(product: Product, start: Tensor, signs: Tensor, *, steps: int = STEPS) -> Curvature:
    r"""Largest eigenvalue by Lanczos; trace exactly in the Krylov space that this leaves, by random signs outside of it.

    .. math:: \operatorname{tr} A = \operatorname{tr} T + E_g \, g^T (I - Q Q^T) A (I - Q Q^T) g

    Q comes from another stream than the signs, so that the estimate is unbiased and its terms are independent: their spread
    is a true standard error. What makes Hutchinson's estimate noisy, a few large eigenvalues, stands in Q (Hutch++ of Meyer,
    Musco, Musco and Woodruff 2021; with a Krylov space for the sketch, Chen and Hallman 2023).

    Args:
        product: The matrices.
        start: Of Lanczos, ``[M, 1, P]``.
        signs: Random, ``[M, D, P]``.
        steps: At most.

    Returns:
        Both, with what is known of their errors.
    """
    space = lanczos(product, start, steps, tolerance=TOLERANCE, least=LEAST)
    found = ritz(space)
    basis = space.basis[:, 0]  # rows beyond a member's own end are zero: its space does not grow with its company
    outside = signs - (signs @ basis.mT) @ basis
    remainders = (outside * product(outside)).sum(-1)
    return Curvature(
        largest=found.values[:, 0, -1],
        residual=found.residuals[:, 0, -1],
        settled=space.settled[:, 0],
        captured=space.diagonal[:, 0].sum(-1),
        remainders=remainders,
    )


def starts(population: Population, count: int, seed: int) -> Tensor:
    """The direction in which the search for the largest eigenvalue starts, the same for all members.

    Args:
        population: Whose parameters are in what order.
        count: Members.
        seed: Of the stream.

    Returns:
        ``[count, 1, P]``, float64.
    """
    parts = [
        torch.randn(part[0].numel(), generator=stream(seed, "curvature start", name), dtype=torch.float64)
        for name, part in population.parameters.items()
    ]
    return torch.cat(parts).to(population.device).expand(count, 1, -1)


def probes(population: Population, count: int, draws: int, seed: int) -> Tensor:
    """Random signs, the same for all members.

    Args:
        population: Whose parameters are in what order.
        count: Members.
        draws: D.
        seed: Of the stream; the first draws do not depend on how many follow.

    Returns:
        ``[count, D, P]``, float64.
    """
    rows = [
        torch.cat([
            torch.randint(2, (part[0].numel(),), generator=stream(seed, "curvature signs", draw, name))
            for name, part in population.parameters.items()
        ])
        for draw in range(draws)
    ]
    return (2.0 * torch.stack(rows).double() - 1.0).to(population.device).expand(count, draws, -1)


def trace_of(found: Curvature) -> Estimate:
    """Trace of a matrix of which a part is known exactly and the rest by random vectors.

    Args:
        found: Of one network.

    Returns:
        The sum, with the standard error of the mean over the vectors.
    """
    draws = found.remainders.shape[0]
    mean = found.remainders.mean()
    spread = (found.remainders - mean).square().sum() / (draws - 1)
    return estimate(found.captured + mean, standard_error=(spread / draws).sqrt())


def largest_of(found: Curvature) -> Estimate:
    """Largest eigenvalue of a matrix.

    Args:
        found: Of one network.

    Returns:
        The Ritz value, which is never above the eigenvalue, with its residual above it; withdrawn where it has not settled.
    """
    high = found.largest + found.residual
    return estimate(found.largest, low=found.largest, high=high, converged=found.settled)


def groups_of(population: Population, vectors: int) -> list[slice]:
    """Members whose bases are held at once.

    Args:
        population: The networks.
        vectors: Of each basis.

    Returns:
        Slices, in order.
    """
    rows = max(1, min(len(population), BASIS_BYTES // (vectors * population.size * 8)))
    return [slice(first, first + rows) for first in range(0, len(population), rows)]
