"""Laws whose posteriors are known exactly: as fields that chains can move in, and as numbers from integrals."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from scipy.special import gammainc
from scipy.stats import chi2, ncx2
from torch import Tensor

from heldout.engine.sampling import Target

PRECISIONS = (1e-3, 1e-2, 0.1, 1.0, 5.0)  # test vector T1
NBETA = 144.7648  # 1000 / ln 1000


class LossField:
    """A field made of one loss function of the parameters, the same for every example unless it gives one for each.

    Args:
        loss: ``[C, P]`` -> ``[C]`` or ``[C, N]``.
        size: P.
        examples: N, where the loss gives one value.
        members: M, with their centres at 0.
        parts: Sizes of the parameter tensors; one of all unless given.
    """

    def __init__(
        self,
        loss: Callable[[Tensor], Tensor],
        size: int,
        *,
        examples: int = 4,
        members: int = 1,
        parts: tuple[int, ...] = (),
    ) -> None:
        self.loss, self.size = loss, size
        self.centres = torch.zeros(members, size, dtype=torch.float64)
        found = loss(self.centres)
        self.examples = found.shape[1] if found.ndim > 1 else examples
        edges = np.cumsum([0, *(parts or (size,))])
        self.layout = tuple(
            (f"part {k}", slice(int(a), int(b)), torch.Size([int(b - a)]))
            for k, (a, b) in enumerate(itertools.pairwise(edges))
        )

    def losses(self, position: Tensor, members: Tensor) -> Tensor:
        found = self.loss(position)
        return found if found.ndim > 1 else found[:, None].expand(-1, self.examples)

    def gradient(self, position: Tensor, members: Tensor, index: Tensor | None = None) -> tuple[Tensor, Tensor]:
        leaf = position.detach().requires_grad_()
        with torch.enable_grad():
            found = self.losses(leaf, members)
            found = found if index is None else found.gather(1, index)
            (slope,) = torch.autograd.grad(found.mean(1).sum(), leaf)
        return found.detach(), slope.clone()  # the caller may write to it

    def hessian_product(self, position: Tensor, members: Tensor, direction: Tensor) -> Tensor:
        leaf = position.detach().requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(self.losses(leaf, members).mean(1).sum(), leaf, create_graph=True)
            if not slope.requires_grad:
                return torch.zeros_like(position)
            (product,) = torch.autograd.grad((slope * direction).sum(), leaf, allow_unused=True, materialize_grads=True)
        return product


def target(field: LossField, *, nbeta: float = NBETA, localisation: float = 1.0, chains: int = 8) -> Target:
    """Every member of a field at one temperature."""
    ones = torch.ones(len(field.centres), dtype=torch.float64)
    return Target.of(field, torch.arange(len(ones)), nbeta * ones, localisation * ones, chains)


def quadratic(precisions: tuple[float, ...] = PRECISIONS, **settings: object) -> LossField:
    """``K = 1/2 sum h w^2``."""
    h = torch.tensor(precisions, dtype=torch.float64)
    return LossField(lambda w: 0.5 * (h * w.square()).sum(1), len(precisions), **settings)  # type: ignore[arg-type]


def normal_crossing(a: int, b: int) -> LossField:
    """``K = w_1^(2 a) w_2^(2 b)``."""
    return LossField(lambda w: w[:, 0].pow(2 * a) * (w[:, 1].pow(2 * b) if b else 1.0), 2)


def quadratic_coefficient(precisions: tuple[float, ...], nbeta: float, localisation: float, step: float = 0.0) -> float:
    """``nb E[K]`` of the quadratic law; of unadjusted Langevin chains with that step, where it is given."""
    h = np.array(precisions)
    a = nbeta * h + localisation
    return float(0.5 * (nbeta * h / (a * (1 - step * a / 4))).sum())


def normal_crossing_coefficient(a: int, b: int, nbeta: float, localisation: float) -> float:
    """``nb E[K]`` of a normal crossing under ``N(0, 1 / localisation)``, by quadrature on a logarithmic grid."""
    logs = np.linspace(-30.0, np.log(9 / np.sqrt(localisation)), 1501)
    w = np.exp(logs)
    density = np.exp(-0.5 * localisation * w**2) * w
    loss = w[:, None] ** (2 * a) * w[None, :] ** (2 * b)
    weights = density[:, None] * density[None, :] * np.exp(-nbeta * loss)
    return float(nbeta * (weights * loss).sum() / weights.sum())


def one_dimensional_coefficient(k: int, nbeta: float) -> float:
    """``nb E[K]`` for ``K = w^(2 k)``, uniform on [-1, 1]: ``s P(s + 1, t) / P(s, t)`` with ``s = 1 / (2 k)``."""
    s = 1 / (2 * k)
    return float(s * gammainc(s + 1, nbeta) / gammainc(s, nbeta))


def reduced_rank_origin_coefficient(inputs: int, outputs: int, nbeta: float, localisation: float) -> float:
    """``nb E[K]`` for ``K = |b a|^2 / 2``, ``a`` a row of ``inputs`` and ``b`` a column of ``outputs``, both ``N(0, I /
    localisation)``.

    Given ``s = |a|^2`` the law of ``b`` is Gaussian, so that one integral over a chi-square remains.
    """
    logs = np.linspace(-60.0, np.log(400.0), 20_001)
    u = np.exp(logs)  # localisation * s
    x = nbeta * u / localisation**2
    weights = u ** (inputs / 2) * np.exp(-u / 2) * (1 + x) ** (-outputs / 2)
    return float((weights * outputs / 2 * x / (1 + x)).sum() / weights.sum())


def reduced_rank_coefficient(inputs: int, outputs: int, hidden: int, rank: int) -> tuple[float, int]:
    """Learning coefficient and multiplicity of reduced-rank regression (Aoyagi and Watanabe 2005, theorem 1)."""
    m, n, h, r = inputs, outputs, hidden, rank
    if n + r <= m + h and m + r <= n + h and h + r <= m + n:
        odd = (m + n + h + r) % 2
        return (2 * (h + r) * (m + n) + 2 * m * n - (h + r) ** 2 - m**2 - n**2 + odd) / 8, 1 + odd
    if m + h < n + r:
        return (h * m - h * r + n * r) / 2, 1
    if n + h < m + r:
        return (h * n - h * r + m * r) / 2, 1
    return m * n / 2, 1


def local_rank_coefficient(inputs: int, outputs: int, hidden: int, rank: int, rank_a: int, rank_b: int) -> float:
    """The same at a point of the fibre where A and B have these ranks and their product has the true one."""
    m, n, h, k, extra = inputs - rank, outputs - rank, hidden - rank, rank_a - rank, rank_b - rank
    rest = (m - k, n - extra, h - k - extra)
    last = reduced_rank_coefficient(*rest, 0)[0] if min(rest) > 0 else 0.0
    return rank * (inputs + outputs - rank) / 2 + n * k / 2 + extra * (m - k) / 2 + last


def rectangle_coefficient(
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray], nbeta: float, localisation: float
) -> float:
    """``nb E[K]`` of any loss of two parameters that is even in both, under ``N(0, 1 / localisation)``."""
    logs = np.linspace(-30.0, np.log(9 / np.sqrt(localisation)), 1501)
    w = np.exp(logs)
    density = np.exp(-0.5 * localisation * w**2) * w
    found = loss(w[:, None], w[None, :])
    weights = density[:, None] * density[None, :] * np.exp(-nbeta * found)
    return float(nbeta * (weights * found).sum() / weights.sum())


def tanh_unit() -> tuple[LossField, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """``K = E_x[(a tanh(b x))^2] / 2`` for x standard normal (test vector T7, one unit): the field, and the loss as a function."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    x, p = torch.from_numpy(nodes), torch.from_numpy(weights / weights.sum())

    def of_arrays(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        mean = sum(q * np.tanh(b * v) ** 2 for q, v in zip(weights / weights.sum(), nodes, strict=True))
        return 0.5 * a**2 * mean

    field = LossField(lambda w: 0.5 * w[:, 0].square() * ((w[:, 1:2] * x).tanh().square() * p).sum(1), 2)
    return field, of_arrays


def rank_one_origin(inputs: int, outputs: int) -> LossField:
    """``K = |b a|^2 / 2`` with one hidden unit, at the origin."""
    return LossField(
        lambda w: 0.5 * w[:, :inputs].square().sum(1) * w[:, inputs:].square().sum(1),
        inputs + outputs,
        parts=(inputs, outputs),
    )


def full_rank_fibre(size: int) -> LossField:
    """``K = |B A - I|^2 / 2`` around ``A = B = I``: a manifold of minima of codimension ``size^2``, all of them regular."""
    one = torch.eye(size, dtype=torch.float64)

    def loss(w: Tensor) -> Tensor:
        both = w.view(-1, 2, size, size) + one
        return 0.5 * (both[:, 1] @ both[:, 0] - one).square().sum((1, 2))

    return LossField(loss, 2 * size**2, parts=(size**2, size**2))


def two_hidden_coefficient(inputs: int, outputs: int, nbeta: float, localisation: float, height: float = 0.0) -> float:
    """``nb E[K]`` for ``K = |B A|^2 / 2`` with two hidden units, at ``B = 0`` and A with ``height`` in its corner alone.

    Given A the law of B is Gaussian. With rows a and b of A, ``p = |a|^2``, ``b = z a / |a| + c`` and ``q = |c|^2`` are independent,
    a non-central chi-square, a normal and a chi-square variable; ``A A'`` has the determinant ``p q`` and the trace ``p + z^2 + q``.
    """
    logs = np.linspace(-26.0, 6.5, 164)
    grid = np.exp(logs)
    first = ncx2.pdf(grid, inputs, localisation * height**2) if height else chi2.pdf(grid, inputs)
    p, q, z = grid[:, None, None], grid[None, :, None], grid[None, None, :]
    density = (first * grid)[:, None, None] * (chi2.pdf(grid, inputs - 1) * grid)[None, :, None]
    x = nbeta / localisation**2
    trace, determinant = x * (p + z + q), x**2 * p * q
    rest = 1 + trace + determinant
    weights = density * (chi2.pdf(grid, 1) * grid)[None, None, :] * rest ** (-outputs / 2)
    return float((weights * (trace + 2 * determinant) / rest).sum() * outputs / 2 / weights.sum())


def two_hidden(inputs: int, outputs: int, height: float = 0.0) -> LossField:
    """Its field."""

    def loss(w: Tensor) -> Tensor:
        a, b = w[:, : 2 * inputs].view(-1, 2, inputs), w[:, 2 * inputs :].view(-1, outputs, 2)
        corner = torch.zeros(2, inputs, dtype=w.dtype)
        corner[0, 0] = height
        return 0.5 * (b @ (a + corner)).square().sum((1, 2))

    return LossField(loss, 2 * (inputs + outputs), parts=(2 * inputs, 2 * outputs))
