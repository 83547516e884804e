"""Norms of the layers of a chain and of its inputs, biases included, and training examples by margin."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.chains import LayerMatrices, is_dense_sized
from heldout.engine.numerics.margin_bounds import MarginShares

Floats = np.ndarray
LEVELS = np.arange(-40.0, 61.0)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNorms:
    r"""Norms of ``A_i = [[W, b], [0, 1]]``, the last without the row of the 1; each ``[M, L]``.

    Attributes:
        spectral: Largest singular values.
        frobenius: Root of the sum of squares.
        distance: Sum over rows of the Euclidean norms of the rows of ``A_i - A_i^0``.
        rows: Largest sum of absolute values of a row.
        last_row: Largest Euclidean norm of a row of the last layer, ``[M]``.
        inputs: Root of the sum of squares of all inputs, with a 1 added to each.
        column: Root of the largest sum of squares of one input entry over examples.
        radius: Largest Euclidean norm of an input.
        entries: Entries of an input.
        width: Largest number of rows or columns.
        classes: C.
        examples: n.
    """

    spectral: Floats
    frobenius: Floats
    distance: Floats
    rows: Floats
    last_row: Floats
    inputs: float
    column: float
    radius: float
    entries: int
    width: int
    classes: int
    examples: int


@evidence(requires=is_dense_sized)
def layer_norms(layer_matrices: LayerMatrices) -> LayerNorms:
    """All of them, from the matrices."""
    matrices, x = layer_matrices.matrices, layer_matrices.inputs
    pairs = list(zip(matrices, layer_matrices.reference, strict=True))

    def each(values: list[Tensor]) -> Floats:
        return torch.stack(values, dim=1).cpu().numpy()

    return LayerNorms(
        spectral=each([torch.linalg.matrix_norm(a, ord=2) for a in matrices]),
        frobenius=each([torch.linalg.matrix_norm(a) for a in matrices]),
        distance=each([(a - b).norm(dim=2).sum(1) for a, b in pairs]),
        rows=each([a.abs().sum(2).amax(1) for a in matrices]),
        last_row=matrices[-1].norm(dim=2).amax(1).cpu().numpy(),
        inputs=float(x.norm()),
        column=float(x.square().sum(0).amax().sqrt()),
        radius=float(x.norm(dim=1).amax()),
        entries=x.shape[1],
        width=max(max(a.shape[1:]) for a in matrices),
        classes=matrices[-1].shape[1],
        examples=len(x),
    )


@evidence(requires=is_dense_sized)
def margin_shares(margins: Tensor) -> MarginShares:
    """Shares of training examples with margins up to each level."""
    ordered = np.sort(margins.double().cpu().numpy(), axis=1)
    cuts = np.exp(LEVELS * (np.log(2.0) / 2))
    counts = np.stack([np.searchsorted(row, cuts, side="right") for row in ordered])
    return MarginShares(LEVELS, counts / ordered.shape[1], ordered.shape[1])
