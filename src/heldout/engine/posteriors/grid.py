"""The grid of prior variances that a posterior may choose from after training, and what the choice costs."""

import math

import torch
from torch import Tensor

FINENESS = 100.0  # b: steps of one per cent, Dziugaite and Roy 2017, section 5
LARGEST = 0.1  # c, likewise


def on_grid(variance: Tensor) -> Tensor:
    r"""The place on the grid :math:`c\, e^{-j/b}`, j = 1, 2, ..., that is nearest to a variance.

    Args:
        variance: Wished for, ``[M]``.

    Returns:
        j, ``[M]``, float64 whole numbers from 1.

    Example:
        >>> on_grid(torch.tensor([1.0, 0.1 * math.exp(-0.5)], dtype=torch.float64)).tolist()
        [1.0, 50.0]
    """
    return (FINENESS * (math.log(LARGEST) - variance.double().log())).round().clamp(min=1.0)


def variance_at(place: Tensor) -> Tensor:
    """The variance at a place of the grid.

    Args:
        place: j.

    Returns:
        Of the same shape, float64.
    """
    return LARGEST * (-place.double() / FINENESS).exp()


def price(place: Tensor) -> Tensor:
    r"""What a place costs in a union bound over the grid with weights :math:`6 / (\pi^2 j^2)`.

    Args:
        place: j.

    Returns:
        :math:`2 \ln j + \ln(\pi^2 / 6)` in nats.
    """
    return 2 * place.double().log() + math.log(math.pi**2 / 6)


def smooth_price(variance: Tensor) -> Tensor:
    """The price as a function of the variance, for training.

    Args:
        variance: Of the prior, below c.

    Returns:
        Nats.
    """
    place = FINENESS * (math.log(LARGEST) - variance.log())
    return 2 * torch.clamp(place, min=1.0).log() + math.log(math.pi**2 / 6)
