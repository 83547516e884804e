"""Upper bounds on the Lipschitz constant of a chain of matrices with activations of slopes from 0 to 1 between them."""

import torch
from torch import Tensor

STEPS = 60
RATE = 0.1


def product_of_norms(matrices: list[Tensor]) -> Tensor:
    r"""The largest stretch of every layer, multiplied.

    .. math:: \prod_i \|W_i\|_2

    Args:
        matrices: ``[M, out, in]`` each, float64, in order.

    Returns:
        ``[M]``.
    """
    return torch.stack([norm(one) for one in matrices]).prod(0)


def combettes_pesquet(matrices: list[Tensor]) -> Tensor:
    r"""Mean over all ways to cut the chain of the product of its pieces' norms (Combettes and Pesquet 2020, theorem 4.2).

    .. math:: \frac{1}{2^{L-1}} \sum_{0 = k_0 < k_1 < \dots < k_r = L} \prod_j \|W_{k_j} \cdots W_{k_{j-1} + 1}\|_2

    An activation with slopes from 0 to 1 is half the identity and half a map that stretches nothing; multiplying out gives the
    sum. Never above the product of norms.

    Args:
        matrices: ``[M, out, in]`` each, float64, in order.

    Returns:
        ``[M]``.
    """
    sums = [matrices[0].new_ones(len(matrices[0]))]
    for last in range(len(matrices)):
        total, piece = torch.zeros_like(sums[0]), matrices[last]
        for first in range(last, -1, -1):
            piece = piece if first == last else piece @ matrices[first]
            total = total + sums[first] * norm(piece)
        sums.append(total)
    return sums[-1] / 2.0 ** (len(matrices) - 1)


def absolute_product(matrices: list[Tensor]) -> Tensor:
    r"""Norm of the product of absolute values: no cancellation between paths is counted on.

    .. math:: \big\| |W_L| \cdots |W_1| \big\|_2

    Entry by entry no ``W_L D W_{L-1} ... D W_1`` with diagonals D from 0 to 1 is larger in absolute value, and the norm of a
    non-negative matrix grows with its entries.

    Args:
        matrices: ``[M, out, in]`` each, float64, in order.

    Returns:
        ``[M]``.
    """
    whole = matrices[0].abs()
    for one in matrices[1:]:
        whole = one.abs() @ whole
    return norm(whole)


def quadratic(matrices: list[Tensor], *, steps: int = STEPS) -> Tensor:
    r"""The bound from quadratic constraints on every unit, LipSDP-Neuron of Fazlyab et al. 2019, minimised by descent.

    .. math:: X_0 = I, \quad A_i = W_i X_{i-1} W_i^\top, \quad X_i = Q_i (2 Q_i - A_i)^{-1} Q_i, \quad
        \mathrm{Lip}^2 \le \lambda_{\max}(W_L X_{L-1} W_L^\top)

    for every choice of positive diagonals with ``2 Q_i`` above ``A_i``. With ``Q_i`` the largest eigenvalue of ``A_i`` times the
    identity this is ECLipsE-Fast (Xu and Sivaranjani 2024), no worse than the product of norms; from there Adam lowers it over
    all diagonals, which keep ``2 Q > A`` by their form. It need not settle: every step is a bound, and the least is taken.

    Args:
        matrices: ``[M, out, in]`` each, float64, in order.
        steps: Of descent.

    Returns:
        ``[M]``.
    """
    members = len(matrices[0])
    shapes = [matrices[0].new_zeros(members, one.shape[1] + 1).requires_grad_() for one in matrices[:-1]]
    best = torch.full((members,), float("inf"), dtype=torch.float64, device=matrices[0].device)
    if not shapes:
        return norm(matrices[0])
    descent = torch.optim.Adam(shapes, lr=RATE)
    for _ in range(steps + 1):
        with torch.enable_grad():
            square = _squared(matrices, shapes)
            reached = torch.isfinite(square)
            descent.zero_grad()
            torch.where(reached, square, 1.0).log().sum().backward()  # type: ignore[no-untyped-call]
        best = torch.where(reached, torch.minimum(best, square.detach()), best)
        for shape in shapes:
            assert shape.grad is not None
            shape.grad.nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)
        descent.step()
    return best.sqrt()


def norm(matrices: Tensor) -> Tensor:
    """Spectral norms.

    Args:
        matrices: ``[M, out, in]``.

    Returns:
        ``[M]``.
    """
    return torch.linalg.matrix_norm(matrices, ord=2)


def _squared(matrices: list[Tensor], shapes: list[Tensor]) -> Tensor:
    """The squared bound for given diagonals: their shape, and how far above the least they lie."""
    inner = matrices[0] @ matrices[0].transpose(1, 2)
    for following, shape in zip(matrices[1:], shapes, strict=True):
        form = shape[:, :-1].exp()
        scaled = inner / (form.unsqueeze(1) * form.unsqueeze(2)).sqrt()
        largest = torch.linalg.eigvalsh(scaled)[:, -1].clamp(min=torch.finfo(torch.float64).tiny)
        # half of the largest eigenvalue is the least that is allowed
        diagonal = form * (largest * 0.5 * (1 + shape[:, -1].exp())).unsqueeze(1)
        factor, _ = torch.linalg.cholesky_ex(2 * torch.diag_embed(diagonal) - inner)
        half = torch.linalg.solve_triangular(factor, diagonal.unsqueeze(2) * following.transpose(1, 2), upper=False)
        inner = half.transpose(1, 2) @ half
    return torch.linalg.eigvalsh(inner)[:, -1]
