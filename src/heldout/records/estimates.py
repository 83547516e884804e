"""What a unit may return instead of a bare tensor."""

from typing import NamedTuple

import torch
from torch import Tensor


class Estimate(NamedTuple):
    """What a unit may return instead of a bare tensor: a value with its uncertainty, each of shape ``[]``.

    NaN in ``standard_error``, ``low`` or ``high`` means that there is none. ``converged`` of 0 withdraws the value.
    """

    value: Tensor
    standard_error: Tensor
    low: Tensor
    high: Tensor
    converged: Tensor


def estimate(
    value: Tensor,
    *,
    standard_error: Tensor | None = None,
    low: Tensor | None = None,
    high: Tensor | None = None,
    converged: Tensor | None = None,
) -> Estimate:
    """Pack a value and whatever uncertainty is known.

    Args:
        value: The number, shape ``[]`` (or ``[M]`` in a stacked unit).
        standard_error: Monte-Carlo or sampling standard error, same shape.
        low: Lower end of an interval.
        high: Upper end of an interval.
        converged: True where the estimator settled.

    Returns:
        The packed estimate, absent parts filled with NaN and ``converged`` with True.
    """
    absent = torch.full_like(value, float("nan"), dtype=torch.float64)
    return Estimate(
        value,
        absent if standard_error is None else standard_error,
        absent if low is None else low,
        absent if high is None else high,
        torch.ones_like(value, dtype=torch.bool) if converged is None else converged,
    )
