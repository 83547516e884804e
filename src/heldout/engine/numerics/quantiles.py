"""Quantiles of sorted numbers of which only the first so many count, and the five numbers of a box plot."""

import torch
from torch import Tensor


def sorted_quantile(ordered: Tensor, quantile: float | Tensor, count: Tensor | None = None) -> Tensor:
    """A quantile, interpolated linearly between neighbours.

    Args:
        ordered: ``[..., n]``, rising.
        quantile: From 0 to 1, one for all or one for each row.
        count: How many of each row's first numbers count, ``[...]``; all unless given.

    Returns:
        ``[...]``; NaN where none counts.

    Example:
        >>> sorted_quantile(torch.tensor([1.0, 2.0, 4.0, 100.0]), 0.25, torch.tensor(3)).item()
        1.5
    """
    counted = torch.full_like(ordered[..., 0], ordered.shape[-1]) if count is None else count.to(ordered)
    position = quantile * (counted - 1).clamp(min=0)
    below = position.floor()
    above = torch.minimum(below + 1, (counted - 1).clamp(min=0))
    low, high = (ordered.gather(-1, index.long().unsqueeze(-1)).squeeze(-1) for index in (below, above))
    between = torch.where(low == high, low, low + (position - below) * (high - low))  # inf - inf is no difference
    return torch.where(counted > 0, between, float("nan"))


def five_numbers(ordered: Tensor, count: Tensor | None = None) -> Tensor:
    """Tukey's lower fence, first quartile, median, third quartile and upper fence.

    A fence lies one and a half times the distance of the quartiles beyond the quartile, yet not beyond the outermost number.

    Args:
        ordered: ``[..., n]``, rising.
        count: How many of each row's first numbers count; all unless given.

    Returns:
        ``[..., 5]``.

    Example:
        >>> five_numbers(torch.tensor([0.0, 1.0, 2.0, 3.0, 100.0])).tolist()
        [0.0, 1.0, 2.0, 3.0, 6.0]
    """
    least, first, middle, third, most = (sorted_quantile(ordered, q, count) for q in (0.0, 0.25, 0.5, 0.75, 1.0))
    reach = 1.5 * (third - first)
    return torch.stack(
        [torch.maximum(least, first - reach), first, middle, third, torch.minimum(most, third + reach)], -1
    )
