"""Layer by layer: what a noisy representation keeps of its input beyond the class."""

from typing import Any

import numpy as np

from heldout.catalog import profile
from heldout.engine.evidence.layer_laws import LayerInformation

MEMBERS = 8  # more lines than these nobody tells apart


@profile(source="Kawaguchi et al. 2023, arXiv 2305.18887 (I(X; Z_l | Y)); estimators of Poole et al. 2019")
def layer_information(conditional_layer_information: LayerInformation) -> dict[str, Any]:
    r"""Information of noisy representations about the input given its class, from below and from above, first eight members.

    .. math:: I(X; Z_l | Y), \quad Z_l = T_l + \sigma_l \xi, \quad \sigma_l = 2\, \mathrm{rms}_j\, \mathrm{sd}(T_{l,j})

    The noise is twice a layer's own deviation, so that scale does not matter; with another noise the numbers are others, and
    without any they are infinite. The estimate from below cannot pass ``ceiling``, the logarithm of the examples of a class: near
    it the truth is only known to be larger.

    Args:
        conditional_layer_information: Of all layers.

    Returns:
        One row a member and layer; nats.

    Example:
        >>> one = np.array([[2.0, 0.5]])
        >>> known = LayerInformation(("input", "output"), one, one + 1, one / 10, np.array([4.6]))
        >>> table = layer_information(known)
        >>> table["layer"], table["lower"], table["upper"]
        (['input', 'output'], [2.0, 0.5], [3.0, 1.5])
    """
    found = conditional_layer_information
    members, layers = min(MEMBERS, len(found.lower)), len(found.layers)

    def column(values: np.ndarray) -> list[float]:
        return [float(value) for value in values[:members].flatten()]

    return {
        "member": [m for m in range(members) for _ in range(layers)],
        "place": list(range(layers)) * members,
        "layer": list(found.layers) * members,
        "lower": column(found.lower),
        "upper": column(found.upper),
        "standard_error": column(found.standard_error),
        "ceiling": column(np.repeat(found.ceiling[:, None], layers, 1)),
    }
