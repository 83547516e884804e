"""Random directions in weight space, fixed by a seed: how few numbers move many weights."""

from math import ceil

import torch
from torch import Tensor

from heldout.engine.population import stream

DENSE_ENTRIES = 2**25  # above, two factors stand for the matrix


class Projection:
    """A linear map from d coordinates to D weights whose columns have length about 1.

    Dense Gaussian entries of variance 1/D (Li et al. 2018) up to 32 million of them; beyond, the Kronecker product of two Gaussian
    factors (Lotfi et al. 2022): W of shape ``[ceil(sqrt d), ceil(sqrt d)]`` becomes ``B W A'``, read row by row.

    Args:
        weights: D.
        dimension: d.
        seed: Of the entries; agreed on before the data were seen.

    Example:
        >>> projection = Projection(10000, 4, seed=0)
        >>> projection(torch.ones(4)).shape
        torch.Size([10000])
    """

    def __init__(self, weights: int, dimension: int, *, seed: int) -> None:
        self.weights, self.dimension = weights, dimension
        draw = stream(seed, "projection", weights, dimension)
        self.factors: tuple[Tensor, ...]
        if weights * dimension <= DENSE_ENTRIES:
            self.factors = (torch.randn(weights, dimension, generator=draw) / weights**0.5,)
        else:
            rows, columns = ceil(weights**0.5), ceil(dimension**0.5)
            one, two = (torch.randn(rows, columns, generator=draw) / rows**0.5 for _ in "ab")
            self.factors = (one, two)

    def to(self, device: torch.device) -> "Projection":
        """The same on a device.

        Args:
            device: Where.

        Returns:
            Itself.
        """
        self.factors = tuple(factor.to(device) for factor in self.factors)
        return self

    def __call__(self, coordinates: Tensor) -> Tensor:
        """Weights that coordinates stand for.

        Args:
            coordinates: ``[d]``.

        Returns:
            ``[D]``.
        """
        if len(self.factors) == 1:
            return self.factors[0] @ coordinates
        side = self.factors[0].shape[1]
        square = torch.nn.functional.pad(coordinates, (0, side * side - self.dimension)).view(side, side)
        return (self.factors[0] @ square @ self.factors[1].T).flatten()[: self.weights]
