"""How many eigenvalues of a layer stand out from what noise of its size would give, and where that noise ends."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.tails import FEWEST
from heldout.engine.population import Blocks

QUANTILE = 0.9793  # 95 % of the Tracy-Widom law of real matrices lies below (Johnstone 2001, table 2)


class Bulk(NamedTuple):
    """The part of a spectrum that noise explains.

    Attributes:
        spikes: Eigenvalues beyond it, ``[M]``.
        edge: Where the Marchenko-Pastur law of the rest ends, ``[M]``.
        soft_rank: The edge over the largest eigenvalue, at most 1, ``[M]``; NaN for a layer of zeros.
    """

    spikes: Tensor
    edge: Tensor
    soft_rank: Tensor


def bulk_of(eigenvalues: Float[Tensor, "M R"], rows: int, columns: int) -> Bulk:
    r"""Spikes beyond the Marchenko-Pastur edge with the Tracy-Widom allowance, tested one after the other.

    With p the smaller and n the larger side, the k-th eigenvalue is a spike if all before it are and

    .. math::

        \lambda_k > \hat\sigma_k^2 (\mu_{r,q} + 0.9793\, s_{r,q}), \qquad q = p - k + 1, \quad r = n - k + 1, \quad
        \hat\sigma_k^2 = \frac1{q r} \sum_{j \ge k} \lambda_j, \\
        \mu_{r,q} = \left(\sqrt{r - \tfrac12} + \sqrt{q - \tfrac12}\right)^2, \quad
        s_{r,q} = \sqrt{\mu_{r,q}} \left(1/\sqrt{r - \tfrac12} + 1/\sqrt{q - \tfrac12}\right)^{1/3}

    (Johnstone 2001 with the centring of Ma 2012; sequence and ratio to the mean: Kritchman & Nadler 2008, Nadler 2011; a spike
    takes one dimension away on both sides, and what it holds of the noise's sum of squares with it). On a
    matrix of independent entries of one variance the first test errs in about 5 % of cases. The variance of the k-th test
    includes the eigenvalue that is tested, so many spikes of one size hide each other: at most about a fourth of a square
    matrix's eigenvalues can be found.

    Args:
        eigenvalues: Of W W^T, descending.
        rows: Of W.
        columns: Of W.

    Returns:
        Spikes and edge.

    Example:
        >>> values = torch.tensor([[900.0] + 19 * [20.0]], dtype=torch.float64)
        >>> bulk_of(values, 20, 20).spikes.item()
        1.0
    """
    small, large = sorted((rows, columns))
    values = eigenvalues.double()
    before = torch.arange(small, device=values.device, dtype=torch.float64)
    q, r = small - before, large - before
    rest = values.flip(1).cumsum(1).flip(1)
    variance = rest / (q * r)
    one, other = (r - 0.5).sqrt(), (q - 0.5).sqrt()
    allowed = variance * ((one + other).square() + QUANTILE * (one + other) * (1 / one + 1 / other) ** (1 / 3))
    spikes = (values > allowed).double().cumprod(1).sum(1)
    next_up = spikes.long().clamp(max=small - 1).unsqueeze(1)
    edge = (variance * (r.sqrt() + q.sqrt()).square()).gather(1, next_up).squeeze(1)
    return Bulk(spikes, edge, (edge / values[:, 0]).clamp(max=1.0))


@evidence()
def bulks(blocks: Blocks, block_spectra: dict[str, Tensor]) -> dict[str, Bulk]:
    """Spikes and bulk of every block of ten eigenvalues or more that is one matrix, name -> bulk; not of low-rank updates."""
    return {
        name: bulk_of(values.square(), *blocks.analysed[name].shape)
        for name, values in block_spectra.items()
        if values.shape[1] >= FEWEST
        and blocks.analysed[name].matrices.shape[1] == 1
        and blocks.analysed[name].right is None
    }
