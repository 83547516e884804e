"""Random directions in weight space, fixed by a seed: how few numbers move many weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, isqrt

import torch
from torch import Tensor

from heldout.engine.population import stream
from heldout.records import Refusal

DENSE_ENTRIES = 2**25  # above, a dense matrix is not made
Tensors = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear map from d coordinates to D weights whose columns have length about 1, held without a matrix where D is large.

    Attributes:
        weights: D.
        dimension: d.
        tensors: What it is made of.
        apply: From these and coordinates ``[d]`` to weights ``[D]``.

    Example:
        >>> projection = dense(10000, 4, seed=0)
        >>> projection(torch.ones(4)).shape
        torch.Size([10000])
    """

    weights: int
    dimension: int
    tensors: Tensors
    apply: Callable[[Tensors, Tensor], Tensor]

    def to(self, device: torch.device) -> "Projection":
        """The same on a device.

        Args:
            device: Where.

        Returns:
            A projection.
        """
        return replace(self, tensors=tuple(tensor.to(device) for tensor in self.tensors))

    def __call__(self, coordinates: Tensor) -> Tensor:
        """Weights that coordinates stand for.

        Args:
            coordinates: ``[d]``.

        Returns:
            ``[D]``.
        """
        return self.apply(self.tensors, coordinates)


def dense(weights: int, dimension: int, *, seed: int) -> Projection:
    """Independent Gaussian entries of variance 1/D (Li et al. 2018).

    Args:
        weights: D.
        dimension: d.
        seed: Agreed on before the data were seen, here as below.

    Returns:
        The map, a matrix of D times d entries.

    Raises:
        Refusal: If these are more than 32 million.
    """
    if weights * dimension > DENSE_ENTRIES:
        raise Refusal(
            given=f"a dense projection had {weights} times {dimension} entries", expected=f"at most {DENSE_ENTRIES}",
            do="choose 'sparse', 'kronecker', 'kronecker-remainder' or 'kronecker-orthonormal'",
        )  # fmt: skip
    matrix = torch.randn(weights, dimension, generator=stream(seed, "projection", weights, dimension)) / weights**0.5
    return Projection(weights, dimension, (matrix,), lambda tensors, w: tensors[0] @ w)


def sparse(weights: int, dimension: int, *, seed: int) -> Projection:
    """Entries 0, +1 and -1 of density 1/sqrt(D), scaled: ceil(sqrt D) of them in every column, one in each of as many blocks of rows.

    Le et al. 2013, Lotfi et al. 2022; entries in blocks as in Kane and Nelson 2014, so that no two fall on one row and a column's
    length is 1 exactly.

    Args:
        weights: D.
        dimension: d.
        seed: As above.

    Returns:
        The map, d times ceil(sqrt D) places and signs.
    """
    draw, count = stream(seed, "sparse projection", weights, dimension), isqrt(weights - 1) + 1
    ends = torch.arange(count + 1) * weights // count
    places = ends[:-1] + (torch.rand(dimension, count, generator=draw, dtype=torch.float64) * ends.diff()).long()
    signs = (2.0 * torch.randint(2, (dimension, count), generator=draw) - 1) / count**0.5

    def apply(tensors: Tensors, w: Tensor) -> Tensor:
        entries = (tensors[1] * w.unsqueeze(-1)).flatten()
        return torch.zeros(weights, dtype=entries.dtype, device=entries.device).index_add(0, tensors[0], entries)

    return Projection(weights, dimension, (places.flatten(), signs), apply)


def kronecker(weights: int, dimension: int, *, seed: int) -> Projection:
    """The first D rows and d columns of the Kronecker product of two Gaussian factors of ceil(sqrt D) rows and ceil(sqrt d) columns.

    Lotfi et al. 2022: W of shape ``[ceil(sqrt d), ceil(sqrt d)]``, the coordinates row by row, becomes ``A W B'``.

    Args:
        weights: D.
        dimension: d.
        seed: As above.

    Returns:
        The map, two factors.
    """
    draw, rows, columns = stream(seed, "projection", weights, dimension), ceil(weights**0.5), ceil(dimension**0.5)
    one, two = (torch.randn(rows, columns, generator=draw) / rows**0.5 for _ in "ab")
    return Projection(weights, dimension, (one, two), lambda tensors, w: _product(tensors[0], tensors[1], w)[:weights])


def kronecker_remainder(weights: int, dimension: int, *, seed: int, orthonormal: bool = False) -> Projection:
    """A Kronecker product for floor(sqrt D) squared weights, dense Gaussian rows for those that remain, all in random order.

    Lotfi et al. 2022 ("rdkron"; with factors of orthonormal columns, from a QR decomposition, "rdkronqr").

    Args:
        weights: D.
        dimension: d.
        seed: As above.
        orthonormal: Whether the columns of each factor are.

    Returns:
        The map: two factors, at most 2 sqrt(D) rows, an order.

    Raises:
        Refusal: If there are more dimensions than weights.
    """
    draw = stream(seed, "projection with remainder", weights, dimension)
    rows, columns = isqrt(weights), isqrt(dimension - 1) + 1
    if columns > rows:
        raise Refusal(
            given=f"a projection had {dimension} dimensions for {weights} weights", expected="no more than weights",
            do="choose fewer dimensions",
        )  # fmt: skip
    one, two = (torch.randn(rows, columns, generator=draw) / rows**0.5 for _ in "ab")
    if orthonormal:
        one, two = (torch.linalg.qr(factor)[0] for factor in (one, two))
    rest = torch.randn(weights - rows**2, dimension, generator=draw) / weights**0.5
    order = torch.randperm(weights, generator=draw)

    def apply(tensors: Tensors, w: Tensor) -> Tensor:
        a, b, remaining, places = tensors
        return torch.cat([_product(a, b, w) * (rows / weights**0.5), remaining @ w])[places]

    return Projection(weights, dimension, (one, two, rest, order), apply)


def automatic(weights: int, dimension: int, *, seed: int) -> Projection:
    """Dense where this is at most 32 million entries, Kronecker beyond.

    Args:
        weights: D.
        dimension: d.
        seed: As above.

    Returns:
        The map.
    """
    make = dense if weights * dimension <= DENSE_ENTRIES else kronecker
    return make(weights, dimension, seed=seed)


def onto(places: Tensor, weights: int, dimension: int, *, seed: int) -> Projection:
    """A map to some of the weights alone, the others staying where they start; FiLM-like for norms' scales and shifts and the head.

    Perez et al. 2018; Lotfi et al. 2022.

    Args:
        places: Which weights, without repeats.
        weights: D, of all.
        dimension: d.
        seed: As above.

    Returns:
        The map: :func:`automatic` to as many weights as there are places.
    """
    inner = automatic(len(places), dimension, seed=seed)

    def apply(tensors: Tensors, w: Tensor) -> Tensor:
        moved = inner.apply(tensors[1:], w)
        return torch.zeros(weights, dtype=moved.dtype, device=moved.device).index_add(0, tensors[0], moved)

    return Projection(weights, dimension, (places, *inner.tensors), apply)


def added(one: Projection, other: Projection) -> Projection:
    """The sum of two maps of the same coordinates, over sqrt 2 so that lengths stay.

    Args:
        one: The first.
        other: Of the same shape.

    Returns:
        The map.
    """
    count = len(one.tensors)

    def apply(tensors: Tensors, w: Tensor) -> Tensor:
        return (one.apply(tensors[:count], w) + other.apply(tensors[count:], w)) / 2**0.5

    return Projection(one.weights, one.dimension, one.tensors + other.tensors, apply)


def _product(one: Tensor, two: Tensor, coordinates: Tensor) -> Tensor:
    """``(one kron two)`` times the coordinates, which are padded to a square."""
    side = one.shape[1]
    padded = torch.nn.functional.pad(coordinates, (0, side * side - coordinates.shape[-1]))
    return (one @ padded.view(side, side) @ two.T).flatten()
