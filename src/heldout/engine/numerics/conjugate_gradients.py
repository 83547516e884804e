"""Conjugate gradients for many symmetric positive definite systems at once."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]  # vectors [M, D, P] -> A v, likewise, float64


class Solved(NamedTuple):
    """Solutions of ``(A + damping I) x = b``.

    Attributes:
        solution: x, ``[M, D, P]``.
        residual: ``|b - (A + damping I) x| / |b|`` as the recurrence has it, ``[M, D]``.
        settled: Whether it fell to the tolerance, ``[M, D]``.
    """

    solution: Tensor
    residual: Tensor
    settled: Tensor


def conjugate_gradients(product: Product, right: Tensor, damping: Tensor, *, steps: int, tolerance: float) -> Solved:
    r"""Hestenes and Stiefel's recurrence for a batch of operators and right-hand sides.

    .. math:: \|x_k - x\|_A \le 2 \Big(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\Big)^k \|x\|_A

    Each of the batch stops where its own residual says so, whatever the others need; products of those that have stopped are
    made with zeros.

    Args:
        product: A, symmetric and not negative.
        right: b, ``[M, D, P]``, float64.
        damping: Added to the diagonal, positive, ``[M]``.
        steps: At most.
        tolerance: Of the residual.

    Returns:
        Solutions; zero for a right-hand side of zero.

    Example:
        >>> matrix = torch.tensor([[2.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
        >>> right = torch.tensor([[[3.0, 8.0]]], dtype=torch.float64)
        >>> one = torch.ones(1, dtype=torch.float64)
        >>> found = conjugate_gradients(lambda v: v @ matrix, right, one, steps=2, tolerance=1e-12)
        >>> [round(value, 9) for value in found.solution.flatten().tolist()], found.settled.item()
        ([1.0, 2.0], True)
    """
    shift = damping[:, None, None]
    solution, left = torch.zeros_like(right), right.clone()
    direction, square = right.clone(), right.square().sum(-1)
    goal = tolerance**2 * square
    going = square > goal
    for _ in range(steps):
        if not bool(going.any()):
            break
        along = torch.where(going.unsqueeze(-1), direction, 0.0)
        image = product(along) + shift * along
        step = torch.where(going, square / (along * image).sum(-1), 0.0).unsqueeze(-1)
        solution, left = solution + step * along, left - step * image
        after = torch.where(going, left.square().sum(-1), square)
        direction = left + torch.where(going, after / square, 0.0).unsqueeze(-1) * direction
        square = after
        going = going & (square > goal)  # NaN, such as of a network that diverged, ends its own system and no other
    whole = right.square().sum(-1)
    residual = torch.where(whole > 0, (square / whole).sqrt(), whole.sqrt())
    return Solved(solution, residual, residual <= tolerance)
