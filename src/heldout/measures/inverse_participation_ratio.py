"""How few frequencies the first layer's units respond to."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.numerics.fourier_modular import participation
from heldout.records import Direction


@measure(source="Doshi et al. 2024, equation 4 (r = 2); Gromov 2023, section 4", direction=Direction.NEITHER, range=(0.0, 1.0),
         undefined="every row of the first layer is zero",
         invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale",
                      "example-order"))  # fmt: skip
def inverse_participation_ratio(first_layer_rows: Tensor) -> Tensor:
    r"""Mean over the first layer's units of their inverse participation ratio over frequencies.

    .. math:: \frac{\sum_k |F_k|^4}{(\sum_k |F_k|^2)^2}, \quad F = \text{Fourier transform of a unit's weights}

    1 where every unit is a wave of one frequency, as in networks that compute modular sums; 2 / (number of frequencies) for
    noise. Inputs made of one-hot codes are transformed code by code. It cannot see structure that is sparse in another basis:
    of modular products the waves run over discrete logarithms. Rows of zeros are left out.

    Args:
        first_layer_rows: ``[out, blocks, entries]``.

    Returns:
        The mean; NaN where all rows are zero.

    Example:
        >>> wave = torch.cos(2 * torch.pi * torch.arange(7) / 7).reshape(1, 1, 7)
        >>> round(inverse_participation_ratio(wave).item(), 6)
        1.0
    """
    empty = first_layer_rows.square().sum(-1) == 0
    each = torch.where(empty, 0.0, participation(first_layer_rows))
    return each.sum() / (~empty).sum()
