"""Layer by layer: how far what is computed of seen examples lies from what is computed of unseen ones."""

from typing import Any

import numpy as np

from heldout.catalog import profile
from heldout.engine.evidence.layer_laws import LayerDivergences

MEMBERS = 8  # more lines than these nobody tells apart


@profile(
    source="He & Goldfeld 2024, arXiv 2404.03176 (hierarchical bounds); sliced distance, nearest-neighbour divergence"
)
def layer_divergence(layer_divergences: LayerDivergences) -> dict[str, Any]:
    r"""Sliced Wasserstein-1 distance and divergence of every layer's values of training and test examples, first eight members.

    .. math:: \mathrm{SW}_l = \sum_c \frac{n_c}{n} \mathrm{SW}_1(T_l | c, \text{seen};\ T_l | c, \text{unseen}), \quad
        \prod_{j > l} \|W_j\| \cdot \mathrm{SW}_l

    Classes are compared one by one. Both numbers are above 0, or off it, by chance: what shuffling seen and unseen examples gives
    stands beside them. The layer of the smallest product with the norms above it is the generalization funnel. The sliced
    distance is below the distance of the theorem, and norms bound the layers above only in chains: no bound, a profile. It cannot
    see a difference in how often classes occur.

    Args:
        layer_divergences: Of all layers.

    Returns:
        One row a member and layer.

    Example:
        >>> row = np.array([[0.2, 0.5]])
        >>> known = LayerDivergences(("input", "output"), row, row, row, row, row, row, np.array([[4.0, 1.0]]), (9, 9))
        >>> table = layer_divergence(known)
        >>> table["layer"], table["amplified"], table["funnel"]
        (['input', 'output'], [0.8, 0.5], [False, True])
    """
    found = layer_divergences
    members, layers = min(MEMBERS, len(found.product)), len(found.layers)
    amplified = (found.product * found.wasserstein)[:members]
    least = np.where(np.isnan(amplified), np.inf, amplified).argmin(1)

    def column(values: np.ndarray) -> list[float]:
        return [float(value) for value in values[:members].flatten()]

    return {
        "member": [m for m in range(members) for _ in range(layers)],
        "place": list(range(layers)) * members,
        "layer": list(found.layers) * members,
        "wasserstein": column(found.wasserstein),
        "wasserstein_by_chance": column(found.wasserstein_by_chance),
        "wasserstein_spread": column(found.wasserstein_spread),
        "divergence": column(found.divergence),
        "divergence_by_chance": column(found.divergence_by_chance),
        "divergence_spread": column(found.divergence_spread),
        "product": column(found.product),
        "amplified": column(amplified),
        "amplified_by_chance": column(found.product * found.wasserstein_by_chance),
        "funnel": [bool(place == least[m]) for m in range(members) for place in range(layers)],
    }
