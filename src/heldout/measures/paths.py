"""Norms over the paths of a network, batch norms folded."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

NO_MARGIN = (
    "the 10th percentile of the training margins is not positive: over a tenth of the training data is misclassified"
)
FUNCTION = ("batch-norm-folding", "neuron-permutation", "layer-rescaling")


@measure(source="Jiang et al. 2020, eq. (44); Neyshabur et al. 2015", direction=Direction.HIGHER_IS_WORSE,
         invariances=FUNCTION)  # fmt: skip
def path_norm(path_sum: Tensor) -> Tensor:
    r"""Sum over all paths from inputs and biases to outputs of the squared product of the weights on the path.

    .. math:: \sum_k f_{w^2}(1)[k] = \sum_{\text{paths}} \prod_{e \in \text{path}} w_e^2

    Every parameter is squared, biases too, an input of ones is fed, and the outputs are added up. For layers that are linear
    up to ReLUs and pooling only; average pooling weighs paths by its share, maximum pooling takes the largest sum. It cannot
    see which paths the data ever open. Overflows in very deep networks, which the status says.

    Args:
        path_sum: Output of the squared network.

    Returns:
        The sum.

    Example:
        >>> import torch
        >>> path_norm(torch.tensor(12.5)).item()
        12.5
    """
    return path_sum


@measure(source="Jiang et al. 2020, logarithm of eq. (44)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         range=(float("-inf"), float("inf")), invariances=FUNCTION)  # fmt: skip
def log_path_norm(path_sum: Tensor) -> Tensor:
    r"""Natural logarithm of the path norm.

    .. math:: \ln \sum_k f_{w^2}(1)[k]

    Args:
        path_sum: Output of the squared network.

    Returns:
        The logarithm.

    Example:
        >>> import torch
        >>> log_path_norm(torch.tensor(1.0)).item()
        0.0
    """
    return path_sum.log()


@measure(source="Jiang et al. 2020, eq. (43)", direction=Direction.HIGHER_IS_WORSE,
         invariances=(*FUNCTION, "logit-scale", "example-order"),
         undefined=NO_MARGIN)  # fmt: skip
def path_norm_over_margin(path_sum: Tensor, margin_10th_percentile: Tensor) -> Tensor:
    r"""Path norm over the squared margin.

    .. math:: \frac{1}{\gamma^2} \sum_k f_{w^2}(1)[k], \quad \gamma = \text{10th percentile of the training margins}

    Args:
        path_sum: Output of the squared network.
        margin_10th_percentile: Gamma, with its sign.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> import torch
        >>> path_norm_over_margin(torch.tensor(8.0), torch.tensor(2.0)).item()
        2.0
    """
    return torch.where(margin_10th_percentile > 0, path_sum / margin_10th_percentile.square(), float("nan"))


@measure(source="Jiang et al. 2020, logarithm of eq. (43)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         range=(float("-inf"), float("inf")), invariances=(*FUNCTION, "logit-scale", "example-order"),
         undefined=NO_MARGIN)  # fmt: skip
def log_path_norm_over_margin(path_sum: Tensor, margin_10th_percentile: Tensor) -> Tensor:
    r"""Natural logarithm of ``path-norm-over-margin``.

    .. math:: \ln \sum_k f_{w^2}(1)[k] - 2 \ln \gamma

    Args:
        path_sum: Output of the squared network.
        margin_10th_percentile: Gamma, with its sign.

    Returns:
        The logarithm; NaN where the margin is not positive.

    Example:
        >>> import torch
        >>> log_path_norm_over_margin(torch.tensor(4.0), torch.tensor(2.0)).item()
        0.0
    """
    gamma = torch.where(margin_10th_percentile > 0, margin_10th_percentile, float("nan"))
    return path_sum.log() - 2 * gamma.log()
