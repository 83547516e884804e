"""The layers' spectra as tables, for figures."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import profile

MEMBERS = 8  # more lines than these nobody tells apart
RANKS = 60  # points of one curve

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance


@profile(source="norms: Jiang et al. 2020, section 1.2 of the digest; alpha: Martin & Mahoney 2021, arXiv 1810.01075")
def layer_spectra(
    weights: dict[str, Tensor], spectra: dict[str, Tensor], tails: Mapping[str, Fit], tails_at_random: Mapping[str, Fit]
) -> dict[str, np.ndarray]:
    """Norms, stable rank and tail exponent of every layer of the first eight members.

    Args:
        weights: Layer's name -> ``[M, out, in]``.
        spectra: Layer's name -> singular values ``[M, R]``.
        tails: Layer's name -> fit, each field ``[M]``; layers of fewer than ten eigenvalues have none.
        tails_at_random: The same for Gaussian matrices.

    Returns:
        One row a member and layer; a missing exponent is NaN.

    Example:
        >>> table = layer_spectra({"a": torch.ones(1, 2, 3)}, {"a": torch.tensor([[6.0**0.5, 0.0]])}, {}, {})
        >>> table["layer"].tolist(), table["columns"].tolist(), table["stable_rank"].tolist()
        (['a'], [3], [1.0])
    """
    members = min(MEMBERS, next(iter(spectra.values())).shape[0])
    absent = (torch.full((members,), float("nan")),) * 5

    def column(numbers: list[Tensor]) -> np.ndarray:
        return torch.stack([each[:members].double() for each in numbers], 1).flatten().cpu().numpy()

    layers, squares = list(spectra), [values.square() for values in spectra.values()]
    fits = [tails.get(layer, absent) for layer in layers]
    references = [tails_at_random.get(layer, absent) for layer in layers]
    return {
        "member": np.repeat(np.arange(members), len(layers)),
        "layer": np.tile(layers, members),
        "rows": np.tile([weights[layer].shape[1] for layer in layers], members),
        "columns": np.tile([weights[layer].shape[2] for layer in layers], members),
        "spectral_norm": column([values[:, 0] for values in spectra.values()]),
        "stable_rank": column([square.sum(1) / square[:, 0] for square in squares]),
        "frobenius_norm": column([square.sum(1).sqrt() for square in squares]),
        "alpha": column([fit[0] for fit in fits]),
        "alpha_standard_error": column([fit[1] for fit in fits]),
        "alpha_at_random": column([fit[0] for fit in references]),
        "tail_size": column([fit[3] for fit in fits]),
    }


@profile(source="singular values in descending order, and those of Gaussian matrices of equal shape and variance")
def spectrum(spectra: dict[str, Tensor], spectra_at_random: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """Singular values of every layer at up to 60 logarithmically spaced ranks, beside those of a random matrix.

    Args:
        spectra: Layer's name -> singular values ``[M, R]``.
        spectra_at_random: The same for Gaussian matrices.

    Returns:
        One row a member, layer and rank (from 1); the first eight members.

    Example:
        >>> values = {"a": torch.tensor([[2.0, 1.0]])}
        >>> table = spectrum(values, values)
        >>> table["rank"].tolist(), table["reference"].tolist()
        ([1, 2], [2.0, 1.0])
    """
    members = min(MEMBERS, next(iter(spectra.values())).shape[0])
    parts = []
    for layer, values in spectra.items():
        ranks = np.unique(np.geomspace(1, values.shape[1], RANKS).round().astype(np.int64))
        chosen = torch.from_numpy(ranks - 1).to(values.device)
        parts.append({
            "member": np.repeat(np.arange(members), len(ranks)),
            "layer": np.repeat(layer, members * len(ranks)),
            "rank": np.tile(ranks, members),
            "singular_value": values[:members, chosen].flatten().cpu().numpy(),
            "reference": spectra_at_random[layer][:members, chosen].flatten().cpu().numpy(),
        })
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
