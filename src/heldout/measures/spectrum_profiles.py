"""The layers' spectra as tables, for figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import profile
from heldout.engine.evidence.tails import FEWEST, fit_tail
from heldout.engine.population import Blocks

MEMBERS = 8  # more lines than these nobody tells apart
RANKS = 60  # points of one curve

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance
Noise = tuple[Tensor, Tensor, Tensor]  # spikes, edge, soft rank

ABSENT = torch.tensor(float("nan"))
NAMES = ("member", "layer", "kind", "rows", "columns", "note")
NUMBERS = (
    "spectral_norm", "stable_rank", "frobenius_norm", "alpha", "alpha_standard_error", "tail_size", "alpha_at_random",
    "spikes", "mp_soft_rank",
)  # fmt: skip


@profile(source="norms: Jiang et al. 2020; alpha: Martin & Mahoney 2021, arXiv 1810.01075; spikes: Johnstone 2001")
def layer_spectra(
    blocks: Blocks, block_spectra: dict[str, Tensor], tails: Mapping[str, Fit], tails_at_random: Mapping[str, Fit],
    bulks: Mapping[str, Noise],
) -> dict[str, list[Any]]:  # fmt: skip
    """Norms, stable rank, tail exponent and spikes of every layer of the first eight members, and what is not analysed and why.

    Gates of recurrent layers and the queries, keys and values of attention have rows of their own. A convolution is read as a
    matrix (out, in * receptive field) a group. Parameters whose spectrum is not read have one row, with the reason as note.

    Args:
        blocks: The matrices, and what is left out.
        block_spectra: Layer's name -> singular values ``[M, R]``.
        tails: Layer's name -> fit, each field ``[M]``; layers of fewer than ten eigenvalues have none.
        tails_at_random: The same for Gaussian matrices.
        bulks: Layer's name -> spikes, edge and soft rank, each ``[M]``.

    Returns:
        One row a member and layer; a missing number is NaN.

    Example:
        >>> from heldout.engine.population import Block
        >>> ones = Blocks({"a": Block("a", "", "dense", torch.ones(1, 1, 2, 3))}, {"b": "no matrix"})
        >>> table = layer_spectra(ones, {"a": torch.tensor([[6.0**0.5, 0.0]])}, {}, {}, {})
        >>> table["layer"], table["columns"], table["stable_rank"][0], table["note"]
        (['a', 'b'], [3, None], 1.0, ['', 'no matrix'])
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*NAMES, *NUMBERS)}
    members = min(MEMBERS, len(next(iter(block_spectra.values())))) if block_spectra else 1
    for member in range(members):
        for name, block in blocks.analysed.items():
            squares = block_spectra[name][member].double().square()
            numbers: list[Tensor] = [squares[0].sqrt(), squares.sum() / squares[0], squares.sum().sqrt()]
            for table, fields in ((tails, (0, 1, 3)), (tails_at_random, (0,)), (bulks, (0, 2))):
                numbers += [table[name][field][member] if name in table else ABSENT for field in fields]
            row = (member, name, block.kind, *block.shape, block.note, *map(float, numbers))
            for column, entry in zip(columns.values(), row, strict=True):
                column.append(entry)
        for name, reason in blocks.left_out.items():
            for column, entry in zip(
                columns.values(), (member, name, "not analysed", None, None, reason), strict=False
            ):
                column.append(entry)
            for number in NUMBERS:
                columns[number].append(float("nan"))
    return columns


@profile(
    source="singular values of the rows that each attention head computes; alpha: Martin & Mahoney 2021, arXiv 1810.01075"
)
def attention_heads(head_spectra: dict[str, list[Tensor]]) -> dict[str, list[Any]]:
    """Spectral norm, stable rank and tail exponent of the queries, keys and values of every attention head, first eight members.

    Args:
        head_spectra: Layer's name -> one ``[M, R]`` a head, descending.

    Returns:
        One row a member, layer and head (from 0); no rows without attention.

    Example:
        >>> attention_heads({"q": [torch.tensor([[2.0, 1.0]]), torch.tensor([[1.0, 1.0]])]})["stable_rank"]
        [1.25, 2.0]
    """
    columns: dict[str, list[Any]] = {
        name: [] for name in ("member", "layer", "head", "spectral_norm", "stable_rank", "alpha")
    }
    for name, heads in head_spectra.items():
        for head, values in enumerate(heads):
            squares = values[:MEMBERS].double().square()
            alpha = fit_tail(squares, fewest=FEWEST).alpha
            for member, square in enumerate(squares):
                row = (member, name, head, square[0].sqrt(), square.sum() / square[0], alpha[member])
                for column, entry in zip(columns.values(), row, strict=True):
                    column.append(float(entry) if isinstance(entry, Tensor) else entry)
    return columns


@profile(source="singular values in descending order, and those of Gaussian matrices of equal shape and variance")
def spectrum(block_spectra: dict[str, Tensor], block_spectra_at_random: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Singular values of every layer at up to 60 logarithmically spaced ranks, beside those of a random matrix.

    Args:
        block_spectra: Layer's name -> singular values ``[M, R]``.
        block_spectra_at_random: The same for Gaussian matrices.

    Returns:
        One row a member, layer and rank (from 1); the first eight members.

    Example:
        >>> values = {"a": torch.tensor([[2.0, 1.0]])}
        >>> table = spectrum(values, values)
        >>> table["rank"].tolist(), table["reference"].tolist()
        ([1, 2], [2.0, 1.0])
    """
    members = min(MEMBERS, next(iter(block_spectra.values())).shape[0])
    parts = []
    for layer, values in block_spectra.items():
        ranks = np.unique(np.geomspace(1, values.shape[1], RANKS).round().astype(np.int64))
        chosen = torch.from_numpy(ranks - 1).to(values.device)
        parts.append({
            "member": np.repeat(np.arange(members), len(ranks)),
            "layer": np.repeat(layer, members * len(ranks)),
            "rank": np.tile(ranks, members),
            "singular_value": values[:members, chosen].flatten().cpu().numpy(),
            "reference": block_spectra_at_random[layer][:members, chosen].flatten().cpu().numpy(),
        })
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
