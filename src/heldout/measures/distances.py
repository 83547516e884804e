"""How far training has moved the weights, batch norms folded."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

INVARIANCES = ("logit-shift", "example-order")


@measure(source="Jiang et al. 2020, eq. (40)", direction=Direction.HIGHER_IS_WORSE, invariances=INVARIANCES)
def fro_distance(initial_difference_squares: dict[str, Tensor]) -> Tensor:
    r"""Sum over layers of the squared Frobenius distance from the weights at initialisation.

    .. math:: \sum_j \|W_j - W_j^0\|_F^2

    Networks and initialisation are each folded with their own batch norm statistics. It cannot see that units may have been
    permuted or rescaled on the way.

    Args:
        initial_difference_squares: Layer's name -> squared Frobenius norm of the difference.

    Returns:
        The sum.

    Example:
        >>> fro_distance({"a": torch.tensor(3.0), "b": torch.tensor(4.0)}).item()
        7.0
    """
    return torch.stack(list(initial_difference_squares.values())).sum()


@measure(source="Jiang et al. 2020, eq. (41)", direction=Direction.HIGHER_IS_WORSE, invariances=INVARIANCES)
def dist_spec_init(initial_difference_norms: dict[str, Tensor]) -> Tensor:
    r"""Sum over layers of the squared spectral norm of the distance from the weights at initialisation.

    .. math:: \sum_j \|W_j - W_j^0\|_2^2

    It cannot see more than the one direction of each layer in which training moved most.

    Args:
        initial_difference_norms: Layer's name -> spectral norm of the difference.

    Returns:
        The sum.

    Example:
        >>> dist_spec_init({"a": torch.tensor(3.0), "b": torch.tensor(4.0)}).item()
        25.0
    """
    return torch.stack(list(initial_difference_norms.values())).square().sum()


@measure(source="root of eq. (40) of Jiang et al. 2020 over the norm at initialisation; small in the lazy regime of Chizat, "
         "Oyallon & Bach 2019, arXiv 1812.07956", direction=Direction.HIGHER_IS_WORSE, invariances=INVARIANCES)  # fmt: skip
def relative_distance(initial_difference_squares: dict[str, Tensor], initial_squares: dict[str, Tensor]) -> Tensor:
    r"""Distance from the weights at initialisation, in units of their length.

    .. math:: \sqrt{\sum_j \|W_j - W_j^0\|_F^2 / \sum_j \|W_j^0\|_F^2}

    Far below 1, the network has stayed near its linearisation; it cannot see which layers moved.

    Args:
        initial_difference_squares: Layer's name -> squared Frobenius norm of the difference.
        initial_squares: Layer's name -> squared Frobenius norm at initialisation.

    Returns:
        The ratio.

    Example:
        >>> relative_distance({"a": torch.tensor(9.0)}, {"a": torch.tensor(4.0)}).item()
        1.5
    """
    moved = torch.stack(list(initial_difference_squares.values())).sum()
    return (moved / torch.stack(list(initial_squares.values())).sum()).sqrt()
