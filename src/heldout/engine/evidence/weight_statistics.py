"""Seven numbers of every parameter tensor: what a predictor may know of weights without data."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.subject import Subject

STATISTICS = ("mean", "standard-deviation", "minimum", "lower-quartile", "median", "upper-quartile", "maximum")
TOGETHER = 2**22  # entries that are sorted at one time


class WeightStatistics(NamedTuple):
    """Statistics of every parameter tensor; how many there are depends on the architecture.

    Attributes:
        values: ``[M, features]``, float64.
        names: One a feature: the parameter's name, a colon, the statistic.
    """

    values: Tensor
    names: tuple[str, ...]


def statistics_of(weights: Tensor) -> Tensor:
    r"""Mean, standard deviation (over n, not n - 1), and the 0th, 25th, 50th, 75th and 100th percentile, interpolated.

    Args:
        weights: ``[M, ...]``.

    Returns:
        ``[M, 7]``, float64, in the order of :data:`STATISTICS`.

    Example:
        >>> statistics_of(torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]])).tolist()
        [[2.0, 1.4142135623730951, 0.0, 1.0, 2.0, 3.0, 4.0]]
    """
    flat = weights.flatten(1)
    rows = []
    for part in torch.split(flat, max(1, TOGETHER // flat.shape[1])):
        numbers = part.double()
        ordered = part.sort(dim=1).values  # torch.quantile takes no more than 16 million entries
        places = torch.linspace(0, 1, 5, dtype=torch.float64) * (flat.shape[1] - 1)
        below = places.floor().long()
        above, share = (below + 1).clamp(max=flat.shape[1] - 1), (places - below).to(numbers.device)
        low, high = ordered[:, below].double(), ordered[:, above].double()
        percentiles = low + share * (high - low)
        mean = numbers.mean(1)
        deviation = (numbers - mean.unsqueeze(1)).square().mean(1).sqrt()
        rows.append(torch.cat([mean.unsqueeze(1), deviation.unsqueeze(1), percentiles], dim=1))
    return torch.cat(rows)


@evidence()
def weight_statistics(subject: Subject) -> WeightStatistics:
    """Seven statistics of every parameter as it was trained: kernels, biases, and scales and shifts of normalisations apart."""
    parameters = subject.population.parameters
    return WeightStatistics(
        torch.cat([statistics_of(stack) for stack in parameters.values()], dim=1),
        tuple(f"{name}:{statistic}" for name in parameters for statistic in STATISTICS),
    )
