"""Dimension from distances to neighbours by maximum likelihood, and the jackknife over groups of examples that lie together."""

from collections.abc import Callable

import torch
from torch import Tensor

from heldout.engine.evidence.neighbours import CELLS, Neighbours
from heldout.records import Estimate, estimate


def by_likelihood(around: Neighbours, k: int) -> Estimate:
    """The estimate of Levina and Bickel, inverses averaged.

    Args:
        around: Distances ``[n, K]`` and cells ``[n]``.
        k: How many neighbours.

    Returns:
        Dimension and standard error.
    """
    reached = around.distances[:, :k].double()
    counted = torch.isfinite(reached).all(1) & (reached.shape[1] == k > 1)
    inverse = torch.where(counted, (reached[:, -1:] / reached[:, :-1]).log().mean(1), 0.0)
    return jackknifed(lambda weight: weight.sum(1) / (weight @ inverse), counted.double(), around.cells)


def jackknifed(statistic: Callable[[Tensor], Tensor], weight: Tensor, cells: Tensor) -> Estimate:
    r"""A statistic of weighted examples with its standard error from leaving out one group of examples after the other.

    .. math:: s^2 = \frac1g \sum_j \frac{(\tilde\theta_j - \bar\theta)^2}{h_j - 1}, \quad
        \tilde\theta_j = h_j \theta - (h_j - 1) \theta_{(j)}, \quad h_j = n / m_j

    Busing, Meijer and van der Leeden 1999. Neighbours share distances, so groups must lie together.

    Args:
        statistic: Of weights ``[B, n]``, row by row.
        weight: 1 for every example that counts, ``[n]``.
        cells: The group of each, ``[n]``.

    Returns:
        The statistic with its standard error.
    """
    inside = cells.unsqueeze(0) == torch.arange(CELLS, device=cells.device).unsqueeze(1)
    every = statistic(torch.cat([weight.unsqueeze(0), torch.where(inside, 0.0, weight)]))
    value, without = every[0], every[1:]
    count = (inside * weight).sum(1)
    some = count > 0
    ratio = weight.sum() / count
    groups = some.sum()
    centre = groups * value - torch.where(some, (1 - 1 / ratio) * without, 0.0).sum()
    apart = (ratio * value - (ratio - 1) * without - centre).square() / (ratio - 1)
    variance = torch.where(some, apart, 0.0).sum() / groups
    # neighbours at equal distances have an infinite dimension, which is none
    return estimate(torch.where(torch.isfinite(value), value, float("nan")), standard_error=variance.sqrt())
