"""Stable ranks: how many directions of a layer carry its weight."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

INVARIANCES = ("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order", "layer-rescaling")


def stable_ranks(spectra: dict[str, Tensor]) -> Tensor:
    """Squared Frobenius norm over squared spectral norm of every layer.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        One number a layer, between 1 and the rank; 0 for a layer of zeros.
    """
    smallest = torch.finfo(torch.float64).tiny
    return torch.stack([values.square().sum() / values[0].square().clamp(min=smallest) for values in spectra.values()])


@measure(
    source="Jiang et al. 2020, eq. (33), fro-over-spec", direction=Direction.HIGHER_IS_WORSE, invariances=INVARIANCES
)
def stable_rank(spectra: dict[str, Tensor]) -> Tensor:
    r"""Sum over layers of the stable rank; Jiang et al. call it fro-over-spec.

    .. math:: \sum_j \|W_j\|_F^2 / \|W_j\|_2^2

    It grows with the number of layers: compare networks of one depth, or use ``mean-stable-rank``.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The sum.

    Example:
        >>> stable_rank({"a": torch.ones(3), "b": torch.tensor([2.0, 0.0])}).item()
        4.0
    """
    return stable_ranks(spectra).sum()


@measure(source="mean over layers of the terms of Jiang et al. 2020, eq. (33)", direction=Direction.HIGHER_IS_WORSE,
         invariances=INVARIANCES)  # fmt: skip
def mean_stable_rank(spectra: dict[str, Tensor]) -> Tensor:
    r"""Mean over layers of the stable rank.

    .. math:: \frac1d \sum_j \|W_j\|_F^2 / \|W_j\|_2^2

    It cannot see how the ranks are spread: one wide layer outweighs many narrow ones.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The mean.

    Example:
        >>> mean_stable_rank({"a": torch.ones(3), "b": torch.tensor([2.0, 0.0])}).item()
        2.0
    """
    return stable_ranks(spectra).mean()
