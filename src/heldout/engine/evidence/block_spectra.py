"""Spectra of the layers taken apart: gates, queries, heads, groups, low-rank updates; and those of random matrices like them."""

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.spectra import entry_moments, random_singular_values, singular_values
from heldout.engine.population import Block, Blocks, Population, blocks_of, stream


@evidence()
def blocks(folded: Population) -> Blocks:
    """The matrices whose spectra say something, and why others are left out."""
    return blocks_of(folded)


@evidence()
def block_spectra(blocks: Blocks, spectra: dict[str, Tensor]) -> dict[str, Tensor]:
    """Singular values of every block, name -> ``[M, R]`` in descending order; those of a convolution's groups are pooled."""
    found = {}
    for name, block in blocks.analysed.items():
        whole = spectra.get(name)  # of a layer that is one matrix they are there already
        if whole is not None and block.right is None and whole.shape[1] == min(block.shape) and _is_one(block):
            found[name] = whole
        else:
            found[name] = pooled(block.matrices) if block.right is None else product_singular_values(block)
    return found


@evidence()
def rank_floors(blocks: Blocks) -> dict[str, float]:
    """Share of the largest singular value below which another is rounding, block -> ``eps * max(rows, columns)``."""
    # eigenvalues of Gram matrices hold no singular value below the rounding of float32, whatever the weights' precision
    return {
        name: max(torch.finfo(block.matrices.dtype).eps, torch.finfo(torch.float32).eps) * max(block.shape)
        for name, block in blocks.analysed.items()
    }


@evidence()
def position_spectra(blocks: Blocks) -> dict[str, Tensor]:
    """Singular values of the convolutions' matrices (out, in) at every kernel position, pooled, name -> ``[M, R]``."""
    return {n: pooled(block.positions) for n, block in blocks.analysed.items() if block.positions is not None}


@evidence()
def head_spectra(blocks: Blocks) -> dict[str, list[Tensor]]:
    """Singular values of the rows of every attention head, name -> one ``[M, R]`` a head; of blocks that have several."""
    found = {}
    for name, block in blocks.analysed.items():
        if block.heads > 1:
            found[name] = [singular_values(part.squeeze(1)) for part in block.matrices.chunk(block.heads, 2)]
    return found


@evidence()
def block_spectra_at_random(blocks: Blocks, seed: int) -> dict[str, Tensor]:
    """Singular values of one draw of Gaussian blocks of the same shapes and variances, common to all members up to scale."""
    reference = {}
    for name, block in blocks.analysed.items():
        generator = np.random.default_rng(stream(seed, "spectra-at-random", name).initial_seed())
        count, rows, columns = block.matrices.shape[1:]
        if block.right is None:
            drawn = [random_singular_values(rows, columns, generator) for _ in range(count)]
            values = torch.from_numpy(np.sort(np.concatenate(drawn))[::-1].copy())
        else:
            one, two = (torch.from_numpy(generator.standard_normal(f.shape[1:])) for f in (block.matrices, block.right))
            values = product_singular_values(Block(name, "", block.kind, one[None], two[None]))[0]
        scale = deviation(block.matrices) * (1 if block.right is None else deviation(block.right))
        reference[name] = scale.unsqueeze(1) * values.to(block.matrices.device)
    return reference


def pooled(matrices: Tensor) -> Tensor:
    """Singular values of several matrices a network, together in descending order.

    Args:
        matrices: ``[M, B, rows, columns]``.

    Returns:
        ``[M, B R]``, float64.

    Example:
        >>> pooled(torch.diag_embed(torch.tensor([[[3.0, 1.0], [2.0, 5.0]]]))).tolist()
        [[5.0, 3.0, 2.0, 1.0]]
    """
    return singular_values(matrices.flatten(0, 1)).reshape(len(matrices), -1).sort(1, descending=True).values


def product_singular_values(block: Block) -> Tensor:
    """Singular values of B A that can be other than zero, from the triangular factors of both.

    Args:
        block: A low-rank update.

    Returns:
        ``[M, min(rank, rows, columns)]``, float64.
    """
    assert block.right is not None
    left = torch.linalg.qr(block.matrices.squeeze(1).double(), mode="r").R
    right = torch.linalg.qr(block.right.squeeze(1).double().mT, mode="r").R
    return torch.linalg.svdvals(left @ right.mT)


def deviation(matrices: Tensor) -> Tensor:
    """Standard deviation of all entries.

    Args:
        matrices: ``[M, B, rows, columns]``.

    Returns:
        ``[M]``, float64.
    """
    mean, square = entry_moments(matrices.flatten(1, 2))
    return (square - mean.square()).clamp(min=0).sqrt()


def _is_one(block: Block) -> bool:
    return block.matrices.shape[1] == 1 and not block.part
