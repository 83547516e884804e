"""Low-rank changes of a network's matrices in a random subspace: what a short message says of a large transformer."""

import torch
from torch import Tensor

from heldout.engine.compression.projections import Projection, Tensors, automatic, kronecker_remainder
from heldout.engine.population import Population, stream
from heldout.records import Refusal

#: Maps by name in the order of their numbers in a message, eight of them: all weights, or factors of some rank.
LOW_RANK_KINDS = (
    "all", "all-kronecker", "rank-1", "rank-2", "rank-4", "rank-8", "rank-4-kronecker", "rank-8-kronecker",
)  # fmt: skip


def low_rank_of(kind: str, start: Population, dimension: int, *, seed: int) -> Projection:
    """A map from coordinates to changes of all weights, by name.

    Args:
        kind: One of :data:`LOW_RANK_KINDS`: ``all`` moves every weight, ``rank-r`` every matrix by factors of that rank.
        start: Networks of the architecture.
        dimension: d.
        seed: Agreed on before the data were seen.

    Returns:
        The map.

    Raises:
        Refusal: If the name is not one of them.

    Example:
        >>> population = Population(torch.nn.Linear(30, 20, bias=False))
        >>> change = low_rank_of("rank-2", population, 5, seed=0)(torch.ones(5)).view(20, 30)
        >>> int(torch.linalg.matrix_rank(change))
        2
    """
    if kind not in LOW_RANK_KINDS:
        raise Refusal(
            given=f"a map was {kind!r}", expected=f"one of {', '.join(LOW_RANK_KINDS)}", do="correct the name"
        )
    whole, many = kind.startswith("all"), kind.endswith("kronecker")
    if whole:
        return _inner(start.size, dimension, seed=seed, many=many)
    return factored(start, int(kind.split("-")[1]), dimension, seed=seed, many=many)


def factored(start: Population, rank: int, dimension: int, *, seed: int, many: bool = False) -> Projection:
    r"""Changes :math:`B A` of every matrix, B in a random subspace around 0 and A around a fixed orthonormal start.

    Hu et al. 2022 (low-rank adaptation); Lotfi et al. 2024 (its factors in a random subspace). Vectors, and matrices no larger than
    their factors, are moved as they are. B starts at 0, so coordinates 0 are the starting point itself; rows of A start
    orthonormal, so a coordinate moves the weights by as much as it moves the factors.

    Args:
        start: Networks of the architecture.
        rank: r.
        dimension: d.
        seed: Agreed on before the data were seen.
        many: Whether the inner map is a Kronecker product with orthonormal factors, for many dimensions.

    Returns:
        The map; it is not linear, as two factors move at once.
    """
    shapes = [tuple(stack.shape[1:]) for stack in start.parameters.values()]
    thin = [len(s) == 2 and rank * (s[0] + s[1]) < s[0] * s[1] for s in shapes]
    sizes = [rank * (s[0] + s[1]) if low else torch.Size(s).numel() for s, low in zip(shapes, thin, strict=True)]
    inner = _inner(sum(sizes), dimension, seed=seed, many=many)
    draw = stream(seed, "low-rank factors", rank)
    firsts = tuple(
        torch.linalg.qr(torch.randn(shape[1], min(rank, shape[1]), generator=draw))[0].T.contiguous()
        for shape, low in zip(shapes, thin, strict=True)
        if low
    )

    def apply(tensors: Tensors, w: Tensor) -> Tensor:
        starts, pieces = iter(tensors[: len(firsts)]), []
        for shape, low, piece in zip(
            shapes, thin, torch.split(inner.apply(tensors[len(firsts) :], w), sizes), strict=True
        ):
            if low:
                left, right = piece[: rank * shape[0]].view(shape[0], rank), piece[rank * shape[0] :].view(rank, -1)
                piece = (left @ (next(starts) + right)).flatten()
            pieces.append(piece)
        return torch.cat(pieces)

    return Projection(start.size, dimension, (*firsts, *inner.tensors), apply)


def _inner(weights: int, dimension: int, *, seed: int, many: bool) -> Projection:
    if many:
        return kronecker_remainder(weights, dimension, seed=seed, orthonormal=True)
    return automatic(weights, dimension, seed=seed)
