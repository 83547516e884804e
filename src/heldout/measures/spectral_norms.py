"""Spectral norms of the weight layers, batch norms folded: products, sums, and the forms divided by the margin."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate

WEIGHTS_ONLY = ("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")
ZERO_LAYER = "the weights of a layer are all zero"
RESCALABLE = (*WEIGHTS_ONLY, "layer-rescaling")
NO_MARGIN = (
    "the 10th percentile of the training margins is not positive: over a tenth of the training data is misclassified"
)


def squared_spectral(spectra: dict[str, Tensor]) -> Float[Tensor, " L"]:
    """Squared spectral norm of every layer.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        One number a layer.
    """
    return torch.stack([values[0].square() for values in spectra.values()])


@measure(source="Jiang et al. 2020, eq. (32)", direction=Direction.HIGHER_IS_WORSE, invariances=RESCALABLE)
def prod_of_spec(spectra: dict[str, Tensor]) -> Tensor:
    r"""Product over layers of the squared spectral norm of the weights as matrices (out, in * receptive field).

    .. math:: \prod_j \|W_j\|_2^2

    Overflows in very deep networks, which the status says; ``log-prod-of-spec`` does not. Of a convolution, the reshaped
    matrix's norm is not the operator's: ``prod-of-operator-norms`` has that.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The product.

    Example:
        >>> prod_of_spec({"a": torch.tensor([3.0, 1.0]), "b": torch.tensor([2.0, 2.0])}).item()
        36.0
    """
    return squared_spectral(spectra).prod()


@measure(source="Jiang et al. 2020, logarithm of eq. (32)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         undefined=ZERO_LAYER, range=(float("-inf"), float("inf")), invariances=RESCALABLE)  # fmt: skip
def log_prod_of_spec(spectra: dict[str, Tensor]) -> Tensor:
    r"""Natural logarithm of the product over layers of the squared spectral norm.

    .. math:: \sum_j \ln \|W_j\|_2^2

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The logarithm.

    Example:
        >>> log_prod_of_spec({"a": torch.tensor([1.0, 0.5]), "b": torch.tensor([1.0])}).item()
        0.0
    """
    total = squared_spectral(spectra).log().sum()
    return torch.where(total.isneginf(), float("nan"), total)


@measure(source="Jiang et al. 2020, eq. (31)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=RESCALABLE)  # fmt: skip
def prod_of_spec_over_margin(spectra: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Product of squared spectral norms over the squared margin.

    .. math:: \prod_j \|W_j\|_2^2 / \gamma^2, \quad \gamma = \text{10th percentile of the training margins}

    Args:
        spectra: Layer's name -> singular values in descending order.
        margin_10th_percentile: Gamma.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> prod_of_spec_over_margin({"a": torch.tensor([3.0, 1.0])}, torch.tensor(2.0)).item()
        2.25
    """
    return squared_spectral(spectra).prod() / squared_margin(margin_10th_percentile)


@measure(source="Jiang et al. 2020, eq. (30)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=RESCALABLE)  # fmt: skip
def spec_orig_main(spectra: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Main term of the spectrally normalised margin bound around the origin.

    .. math:: \frac{1}{\gamma^2} \prod_i \|W_i\|_2^2 \sum_j \frac{\|W_j\|_F^2}{\|W_j\|_2^2}

    Args:
        spectra: Layer's name -> singular values in descending order.
        margin_10th_percentile: Gamma.

    Returns:
        The term; NaN where the margin is not positive.

    Example:
        >>> spec_orig_main({"a": torch.tensor([2.0, 2.0])}, torch.tensor(1.0)).item()
        8.0
    """
    ranks = torch.stack([values.square().sum() / values[0].square() for values in spectra.values()])
    return prod_of_spec_over_margin(spectra, margin_10th_percentile) * ranks.sum()


@measure(source="Jiang et al. 2020, eq. (29)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=("logit-shift", "example-order"))  # fmt: skip
def spec_init_main(
    spectra: dict[str, Tensor], initial_difference_squares: dict[str, Tensor], margin_10th_percentile: Tensor
) -> Tensor:
    r"""Main term of the spectrally normalised margin bound around the initialisation.

    .. math:: \frac{1}{\gamma^2} \prod_i \|W_i\|_2^2 \sum_j \frac{\|W_j - W_j^0\|_F^2}{\|W_j\|_2^2}

    Args:
        spectra: Layer's name -> singular values in descending order.
        initial_difference_squares: Layer's name -> squared Frobenius norm of the difference.
        margin_10th_percentile: Gamma.

    Returns:
        The term; NaN where the margin is not positive.

    Example:
        >>> moved = {"a": torch.tensor(3.0)}
        >>> spec_init_main({"a": torch.tensor([2.0, 2.0])}, moved, torch.tensor(1.0)).item()
        3.0
    """
    moved = torch.stack([initial_difference_squares[layer] for layer in spectra])
    relative = (moved / squared_spectral(spectra)).sum()
    return prod_of_spec_over_margin(spectra, margin_10th_percentile) * relative


@measure(source="Jiang et al. 2020, eq. (35)", direction=Direction.HIGHER_IS_WORSE, invariances=RESCALABLE)
def sum_of_spec(spectra: dict[str, Tensor]) -> Tensor:
    r"""Number of layers times the geometric mean of their squared spectral norms.

    .. math:: d \left(\prod_j \|W_j\|_2^2\right)^{1/d}

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The sum that the product would be if all layers were equal.

    Example:
        >>> round(sum_of_spec({"a": torch.tensor([1.0]), "b": torch.tensor([4.0])}).item(), 4)
        8.0
    """
    squares = squared_spectral(spectra)
    return len(squares) * squares.log().mean().exp()


@measure(source="Jiang et al. 2020, eq. (34)", direction=Direction.HIGHER_IS_WORSE, undefined=NO_MARGIN,
         invariances=RESCALABLE)  # fmt: skip
def sum_of_spec_over_margin(spectra: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Number of layers times the geometric mean of squared spectral norms, the product first divided by the squared margin.

    .. math:: d \left(\prod_j \|W_j\|_2^2 / \gamma^2\right)^{1/d}

    Args:
        spectra: Layer's name -> singular values in descending order.
        margin_10th_percentile: Gamma.

    Returns:
        The quotient; NaN where the margin is not positive.

    Example:
        >>> round(sum_of_spec_over_margin({"a": torch.tensor([3.0])}, torch.tensor(2.0)).item(), 4)
        2.25
    """
    squares = squared_spectral(spectra)
    return len(squares) * ((squares.log().sum() - squared_margin(margin_10th_percentile).log()) / len(squares)).exp()


@measure(source="Jiang et al. 2020, eq. (32), with the norms of the convolutions themselves",
         direction=Direction.HIGHER_IS_WORSE, invariances=RESCALABLE)  # fmt: skip
def prod_of_operator_norms(operator_norms: dict[str, tuple[Tensor, Tensor]]) -> Estimate:
    r"""Product over layers of the squared spectral norm of the layer as the linear map that it is on its own input.

    .. math:: \prod_j \|A_j\|_2^2

    with stride, padding, dilation, groups and the size of that layer's input, none of them replaced by a circular
    convolution on the network's input. Its square root bounds the Lipschitz constant of a chain of layers with 1-Lipschitz
    activations between them; skip connections and attention are not in it.

    Args:
        operator_norms: Layer's name -> norm, and whether its iteration settled.

    Returns:
        The product, withdrawn where a layer's iteration did not settle.

    Example:
        >>> yes = torch.tensor(True)
        >>> prod_of_operator_norms({"a": (torch.tensor(3.0), yes), "b": (torch.tensor(2.0), yes)}).value.item()
        36.0
    """
    norms, settled = (torch.stack(column) for column in zip(*operator_norms.values(), strict=True))
    return estimate(norms.square().prod(), converged=settled.all())


def squared_margin(gamma: Tensor) -> Tensor:
    """Square of the margin; NaN where it is not positive, never the square of a negative margin.

    Args:
        gamma: 10th percentile of the training margins.

    Returns:
        One number.
    """
    return torch.where(gamma > 0, gamma.square(), float("nan"))
