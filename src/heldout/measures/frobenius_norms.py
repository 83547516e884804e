"""Frobenius norms of the weight layers, batch norms folded: sums, products, and the forms divided by the margin."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

ZERO_LAYER = "the weights of a layer are all zero"
PERMUTATION = ("batch-norm-folding", "neuron-permutation")
NO_MARGIN = (
    "the 10th percentile of the training margins is not positive: over a tenth of the training data is misclassified"
)


def squared_frobenius(weights: dict[str, Tensor]) -> Float[Tensor, " L"]:
    """Squared Frobenius norm of every layer.

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        One number a layer, float64.
    """
    return torch.stack([weight.double().square().sum() for weight in weights.values()])


@measure(source="Jiang et al. 2020, eq. (42)", direction=Direction.HIGHER_IS_WORSE, invariances=PERMUTATION)
def param_norm(weights: dict[str, Tensor]) -> Tensor:
    r"""Sum over layers of the squared Frobenius norm of the weights.

    .. math:: \sum_j \|W_j\|_F^2

    It cannot see scale that moves between layers without changing the function; biases are not counted.

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        The sum.

    Example:
        >>> import torch
        >>> param_norm({"a": torch.eye(3), "b": 2 * torch.eye(2)}).item()
        11.0
    """
    return squared_frobenius(weights).sum()


@measure(source="Jiang et al. 2020, eq. (37)", direction=Direction.HIGHER_IS_WORSE,
         invariances=(*PERMUTATION, "layer-rescaling"))  # fmt: skip
def prod_of_fro(weights: dict[str, Tensor]) -> Tensor:
    r"""Product over layers of the squared Frobenius norm.

    .. math:: \prod_j \|W_j\|_F^2

    Overflows in deep networks, which the status says; ``log-prod-of-fro`` does not.

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        The product.

    Example:
        >>> import torch
        >>> prod_of_fro({"a": torch.eye(3), "b": 2 * torch.eye(2)}).item()
        24.0
    """
    return squared_frobenius(weights).prod()


@measure(source="Jiang et al. 2020, logarithm of eq. (37)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         undefined=ZERO_LAYER, range=(float("-inf"), float("inf")), invariances=(*PERMUTATION, "layer-rescaling"))  # fmt: skip
def log_prod_of_fro(weights: dict[str, Tensor]) -> Tensor:
    r"""Natural logarithm of the product over layers of the squared Frobenius norm.

    .. math:: \sum_j \ln \|W_j\|_F^2

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        The logarithm.

    Example:
        >>> import torch
        >>> log_prod_of_fro({"a": torch.eye(1), "b": torch.eye(1)}).item()
        0.0
    """
    total = squared_frobenius(weights).log().sum()
    return torch.where(total.isneginf(), float("nan"), total)


@measure(source="Jiang et al. 2020, eq. (36)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=(*PERMUTATION, "layer-rescaling", "logit-shift", "example-order"))  # fmt: skip
def prod_of_fro_over_margin(weights: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Product of squared Frobenius norms over the squared margin.

    .. math:: \prod_j \|W_j\|_F^2 / \gamma^2, \quad \gamma = \text{10th percentile of the training margins}

    Args:
        weights: Layer's name -> ``[out, in]``.
        margin_10th_percentile: Gamma.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> import torch
        >>> prod_of_fro_over_margin({"a": torch.eye(2)}, torch.tensor(2.0)).item()
        0.5
    """
    return squared_frobenius(weights).prod() / squared_margin(margin_10th_percentile)


@measure(source="Jiang et al. 2020, logarithm of eq. (36)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         undefined=f"{NO_MARGIN}, or {ZERO_LAYER}", range=(float("-inf"), float("inf")),
         invariances=(*PERMUTATION, "layer-rescaling", "logit-shift", "logit-scale", "example-order"))  # fmt: skip
def log_prod_of_fro_over_margin(weights: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Natural logarithm of ``prod-of-fro-over-margin``, which overflows in deep networks.

    .. math:: \sum_j \ln \|W_j\|_F^2 - 2 \ln \gamma

    Args:
        weights: Layer's name -> ``[out, in]``.
        margin_10th_percentile: Gamma.

    Returns:
        The logarithm; NaN where the margin is not positive.

    Example:
        >>> import torch
        >>> log_prod_of_fro_over_margin({"a": 3 * torch.eye(1)}, torch.tensor(3.0)).item()
        0.0
    """
    gamma = torch.where(margin_10th_percentile > 0, margin_10th_percentile.double(), float("nan"))
    return log_prod_of_fro(weights) - 2 * gamma.log()


@measure(source="Jiang et al. 2020, eq. (39)", direction=Direction.HIGHER_IS_WORSE,
         invariances=(*PERMUTATION, "layer-rescaling"))  # fmt: skip
def sum_of_fro(weights: dict[str, Tensor]) -> Tensor:
    r"""Number of layers times the geometric mean of their squared Frobenius norms.

    .. math:: d \left(\prod_j \|W_j\|_F^2\right)^{1/d}

    Args:
        weights: Layer's name -> ``[out, in]``.

    Returns:
        The sum that the product would be if all layers were equal.

    Example:
        >>> import torch
        >>> round(sum_of_fro({"a": torch.eye(2), "b": 2 * torch.eye(2)}).item(), 12)
        8.0
    """
    squares = squared_frobenius(weights)
    return len(squares) * squares.log().mean().exp()


@measure(source="Jiang et al. 2020, eq. (38)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=(*PERMUTATION, "layer-rescaling", "logit-shift", "example-order"))  # fmt: skip
def sum_of_fro_over_margin(weights: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Number of layers times the geometric mean of squared Frobenius norms, the product first divided by the squared margin.

    .. math:: d \left(\prod_j \|W_j\|_F^2 / \gamma^2\right)^{1/d}

    Args:
        weights: Layer's name -> ``[out, in]``.
        margin_10th_percentile: Gamma.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> import torch
        >>> round(sum_of_fro_over_margin({"a": torch.eye(2)}, torch.tensor(2.0, dtype=torch.float64)).item(), 12)
        0.5
    """
    squares = squared_frobenius(weights)
    return len(squares) * ((squares.log().sum() - squared_margin(margin_10th_percentile).log()) / len(squares)).exp()


def squared_margin(gamma: Tensor) -> Tensor:
    """Square of the margin; NaN where it is not positive, never the square of a negative margin.

    Args:
        gamma: 10th percentile of the training margins.

    Returns:
        One number.
    """
    return torch.where(gamma > 0, gamma.square(), float("nan"))
