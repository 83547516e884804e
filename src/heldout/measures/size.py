"""How many numbers were fitted."""

import math

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.geometry import Geometry
from heldout.records import Direction

ARCHITECTURE = (
    "layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale", "example-order",
)  # fmt: skip


@measure(
    source="Definition; compare Jiang et al. 2020, eq. (20)",
    direction=Direction.HIGHER_IS_WORSE,
    range=(1.0, float("inf")),
    invariances=("layer-rescaling", "neuron-permutation", "logit-shift", "logit-scale", "example-order"),
)
def params(parameter_count: int) -> Tensor:
    r"""Number of parameters of one network; a tied weight counts once.

    .. math:: P = \sum_{\text{parameters } w} |w|

    All parameters as they were trained: biases and the scales and shifts of normalisations are among them. Jiang et al.
    (20) count ``k^2 c_in (c_out + 1)`` a convolution, which is ``published-params`` here;
    their successors' code counts the weights of convolutional and dense layers only, which is ``weight-params`` here. It
    cannot see what the parameters are.

    Args:
        parameter_count: Of one network.

    Returns:
        The number.

    Example:
        >>> params(12).item()
        12.0
    """
    return torch.tensor(float(parameter_count), dtype=torch.float64)


@measure(
    source="Jiang et al. 2020, eq. (20), as counted by Dziugaite et al. 2020",
    direction=Direction.HIGHER_IS_WORSE,
    range=(0.0, float("inf")),
    invariances=ARCHITECTURE,
)
def weight_params(weights: dict[str, Tensor]) -> Tensor:
    r"""Number of entries of the weight layers; biases and normalisations are not counted.

    .. math:: \sum_j c_j^{out} c_j^{in} k_j^2

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        The number.

    Example:
        >>> weight_params({"a": torch.zeros(3, 2), "b": torch.zeros(1, 3)}).item()
        9.0
    """
    return torch.tensor(float(sum(weight.numel() for weight in weights.values())), dtype=torch.float64)


@measure(
    source="Jiang et al. 2020, eq. (20)",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=ARCHITECTURE,
)
def published_params(geometry: Geometry) -> Tensor:
    r"""Number of parameters of a chain of dense and convolutional layers, as Jiang et al. print it.

    .. math:: \sum_j k_j^2 c_{j-1} (c_j + 1)

    with kernels of side k and c channels. Besides the weights it counts one more kernel an input channel, which no layer has; the
    biases, one an output channel, are not in it. ``params`` counts what is there.

    Args:
        geometry: Of the chain.

    Returns:
        The number.

    Example:
        >>> published_params(Geometry((3.0, 1.0), (4, 2), (9 * 4, 4 * 2), 8.0)).item()  # 9 * 1 * 5 + 1 * 4 * 3
        57.0
    """
    pairs = zip(geometry.entries, geometry.channels, strict=True)
    return torch.tensor(math.fsum(entries * (c + 1) / c for entries, c in pairs), dtype=torch.float64)


@measure(
    source="Jiang et al. 2020, eq. (19); Bartlett et al. 2019 for the dimension",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=ARCHITECTURE,
)
def vc_dim(geometry: Geometry, train_size: int) -> Tensor:
    r"""Capacity term of the bound by the VC dimension of a chain of d dense and convolutional layers with ReLUs.

    .. math:: 4000 \sqrt{\frac{d \log_2^3(6 d n) \sum_j k_j^2 c_j c_{j-1}}{m}}

    with images of side n, kernels of side k, c channels and m training examples; a dense layer is a convolution of one pixel, and
    n is 1 where the first layer is dense. An upper bound of what the architecture could do, whatever it was trained to: it is above 1
    for all but absurd m, and only its order says anything. ``vapnik`` is a bound that holds with the constants it states.

    Args:
        geometry: Of the chain.
        train_size: m.

    Returns:
        The term.

    Example:
        >>> round(vc_dim(Geometry((1.0,), (4,), (16,), 4 / 3), 16).item() / 4000, 6)  # log2(8) = 3: the root of 27
        5.196152
    """
    depth = len(geometry.entries)
    capacity = depth * math.log2(6 * depth * geometry.side) ** 3 * sum(geometry.entries)
    return torch.tensor(4000 * math.sqrt(capacity / train_size), dtype=torch.float64)
