"""How many numbers were fitted."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction


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
    (20) count ``k^2 c_in (c_out + 1)`` a convolution, that is kernels and a bias term multiplied by the kernel's size;
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
    invariances=(
        "layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale", "example-order",
    ),
)  # fmt: skip
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
