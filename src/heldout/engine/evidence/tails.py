"""Power laws fitted to the upper tails of the layers' eigenvalues."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.population.blocks import CONVOLUTIONS, TRANSPOSED
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

FEWEST = 10  # eigenvalues without which no tail is fitted
FLOOR = 1e-10  # of the largest eigenvalue; float32 weights and Gram matrices hold no digits below it
BLOCK = 2**17  # entries of one block of candidates times eigenvalues; larger ones fall out of the cache


class Tail(NamedTuple):
    """A fitted power law ``p(x) ~ x^-alpha`` for ``x >= start``.

    Attributes:
        alpha: The exponent; NaN where none can be fitted.
        standard_error: ``(alpha - 1) / sqrt(size)``.
        start: Smallest eigenvalue in the tail, xmin.
        size: Eigenvalues in the tail.
        distance: Kolmogorov-Smirnov distance between tail and law.
    """

    alpha: Tensor
    standard_error: Tensor
    start: Tensor
    size: Tensor
    distance: Tensor


def fit_tail(eigenvalues: Float[Tensor, "M R"], *, fewest: int = 2) -> Tail:
    r"""Maximum-likelihood power law of the upper tail, which starts where the law fits best.

    Every eigenvalue but the largest is tried as the start xmin of a tail of n eigenvalues:

    .. math::

        \alpha(x_{min}) = 1 + n / \sum_i \ln(\lambda_i / x_{min}), \qquad
        D(x_{min}) = \max_i \left| 1 - (\lambda_i / x_{min})^{1 - \alpha}
            - \#\{j : x_{min} \le \lambda_j < \lambda_i\} / n \right|

    and the start of smallest D is taken (Clauset, Shalizi & Newman 2009, eqs. 3.1, 3.9). The empirical distribution is
    taken from below each eigenvalue, the convention of the powerlaw and weightwatcher packages. Eigenvalues below 1e-10 of
    the largest are zeros of a rank-deficient layer and take no part.

    It cannot see whether a power law is a good description at all: any spectrum gets an exponent.

    Args:
        eigenvalues: Of each network, in any order.
        fewest: Eigenvalues above the floor without which no tail is fitted.

    Returns:
        One fit a network, each field ``[M]``; NaN where there are too few eigenvalues or all are equal.

    Example:
        For 4 and 1 the only tail is both, and the mean of their logarithms over 1 is ln 2.

        >>> tail = fit_tail(torch.tensor([[1.0, 4.0]], dtype=torch.float64))
        >>> torch.isclose(tail.alpha, 1 + 1 / torch.tensor([2.0], dtype=torch.float64).log()).item()
        True
    """
    ordered = eigenvalues.double().sort(descending=True).values
    usable = ordered > FLOOR * ordered[:, :1]
    log = torch.where(usable, ordered, 1.0).log()
    size = torch.arange(1, log.shape[1] + 1, device=log.device, dtype=torch.float64)  # tail's size if it starts here
    excess = log.cumsum(1) - size * log
    # equal eigenvalues have an excess that is only rounding
    fits = usable & (excess > 1e-12 * size * (1 + log.abs()))
    slope = torch.where(fits, size / torch.where(fits, excess, 1.0), 1.0)
    distance = torch.where(fits, _distances(log, slope), float("inf"))
    best = distance.argmin(1, keepdim=True)
    found = fits.gather(1, best) & (usable.sum(1, keepdim=True) >= fewest)

    def chosen(candidates: Tensor) -> Tensor:
        return torch.where(found, candidates.expand_as(log).gather(1, best), float("nan")).squeeze(1)

    alpha, tail = chosen(1 + slope), chosen(size)
    return Tail(alpha, (alpha - 1) / tail.sqrt(), chosen(ordered), tail, chosen(distance))


def _distances(log: Tensor, slope: Tensor) -> Tensor:
    """Kolmogorov-Smirnov distance for every start, ``[M, R]``; ``log`` descends, so every tail is a beginning of it."""
    members, count = log.shape
    rank = torch.arange(count, device=log.device, dtype=torch.float64)
    parts, first = [], 0
    while first < count:
        # later starts have longer tails: blocks shrink as columns are added
        last = min(count, first + max(1, BLOCK // (members * min(count, first + 256))))
        starts = rank[first:last, None]
        gap = log[:, first:last, None] - log[:, None, :last]  # in place from here on: temporaries are most of the time
        gap.mul_(slope[:, first:last, None]).exp_()
        gap.add_((starts - rank[:last]) / (starts + 1) - 1).abs_()
        gap.masked_fill_(rank[:last] > starts, 0.0)
        parts.append(gap.amax(2))
        first = last
    return torch.cat(parts, 1)


@evidence()
def tails(block_spectra: dict[str, Tensor]) -> dict[str, Tail]:
    """Power-law tails of the squared singular values, block -> fit; blocks of fewer than 10 eigenvalues are left out."""
    return _tails(block_spectra)


@evidence()
def tails_at_random(block_spectra_at_random: dict[str, Tensor]) -> dict[str, Tail]:
    """The same fits to Gaussian matrices of the same shapes: the exponents that a network has without training."""
    return _tails(block_spectra_at_random)


def has_convolution(subject: Subject) -> None:
    """Demand a convolution.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there is none.
    """
    if not any(isinstance(module, (*CONVOLUTIONS, *TRANSPOSED)) for module in subject.population.template.modules()):
        raise NotApplicable("no layer is a convolution", do="read alpha, which is the same there")


@evidence(requires=has_convolution)
def tails_by_position(block_spectra: dict[str, Tensor], position_spectra: dict[str, Tensor]) -> dict[str, Tail]:
    """The same fits with convolutions read as one matrix a kernel position, their eigenvalues pooled."""
    return _tails({**block_spectra, **position_spectra})


def _tails(spectra: dict[str, Tensor]) -> dict[str, Tail]:
    long = {layer: values for layer, values in spectra.items() if values.shape[1] >= FEWEST}
    return {layer: fit_tail(values.square(), fewest=FEWEST) for layer, values in long.items()}
