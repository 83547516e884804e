"""Spectral norms over the margin where they may not overflow: logarithms, and the bounds with their constants."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.geometry import Geometry
from heldout.records import Direction, Estimate, estimate

Norms = dict[str, tuple[Tensor, Tensor]]  # layer's name -> norm, and whether its iteration settled
REALS = (float("-inf"), float("inf"))
RESCALABLE = (
    "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order", "layer-rescaling", "logit-scale",
)  # fmt: skip
ON_THE_INPUTS = (
    "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order", "layer-rescaling",
)  # fmt: skip
OF_TRAINING = ("logit-shift", "example-order")
UNDEFINED = (
    "the 10th percentile of the training margins is not positive (over a tenth of the training data is misclassified), "
    "or the weights of a layer are all zero"
)


@measure(source="Jiang et al. 2020, logarithm of eq. (31)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         range=REALS, undefined=UNDEFINED, invariances=RESCALABLE)  # fmt: skip
def log_prod_of_spec_over_margin(spectra: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Natural logarithm of ``prod-of-spec-over-margin``, which overflows in deep networks.

    .. math:: \sum_j \ln \|W_j\|_2^2 - 2 \ln \gamma

    Args:
        spectra: Layer's name -> singular values in descending order.
        margin_10th_percentile: Gamma.

    Returns:
        The logarithm; NaN where the margin is not positive.

    Example:
        >>> log_prod_of_spec_over_margin({"a": torch.tensor([3.0, 1.0])}, torch.tensor(3.0)).item()
        0.0
    """
    total = log_squares(spectra).sum() - 2 * log_margin(margin_10th_percentile)
    return torch.where(total.isneginf(), float("nan"), total)


@measure(source="Jiang et al. 2020, logarithm of eq. (30)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         range=REALS, undefined=UNDEFINED, invariances=RESCALABLE)  # fmt: skip
def log_spec_orig_main(spectra: dict[str, Tensor], margin_10th_percentile: Tensor) -> Tensor:
    r"""Natural logarithm of ``spec-orig-main``.

    .. math:: \sum_i \ln \|W_i\|_2^2 + \ln \sum_j \frac{\|W_j\|_F^2}{\|W_j\|_2^2} - 2 \ln \gamma

    Args:
        spectra: Layer's name -> singular values in descending order.
        margin_10th_percentile: Gamma.

    Returns:
        The logarithm; NaN where the margin is not positive.

    Example:
        >>> round(log_spec_orig_main({"a": torch.tensor([2.0, 2.0])}, torch.tensor(8.0**0.5)).item(), 6) + 0.0
        0.0
    """
    squares = torch.stack([values.square().sum() for values in spectra.values()])
    return _main(log_squares(spectra), squares) - 2 * log_margin(margin_10th_percentile)


@measure(source="Jiang et al. 2020, logarithm of eq. (29)", direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats",
         range=REALS, undefined=UNDEFINED, invariances=OF_TRAINING)  # fmt: skip
def log_spec_init_main(
    spectra: dict[str, Tensor], initial_difference_squares: dict[str, Tensor], margin_10th_percentile: Tensor
) -> Tensor:
    r"""Natural logarithm of ``spec-init-main``.

    .. math:: \sum_i \ln \|W_i\|_2^2 + \ln \sum_j \frac{\|W_j - W_j^0\|_F^2}{\|W_j\|_2^2} - 2 \ln \gamma

    Args:
        spectra: Layer's name -> singular values in descending order.
        initial_difference_squares: Layer's name -> squared Frobenius norm of the difference.
        margin_10th_percentile: Gamma.

    Returns:
        The logarithm; NaN where the margin is not positive.

    Example:
        >>> moved = {"a": torch.tensor(9.0)}
        >>> log_spec_init_main({"a": torch.tensor([2.0, 2.0])}, moved, torch.tensor(3.0)).item()
        0.0
    """
    moved = torch.stack([initial_difference_squares[layer] for layer in spectra])
    return _main(log_squares(spectra), moved) - 2 * log_margin(margin_10th_percentile)


@measure(source="Jiang et al. 2020, logarithm of eqs. (24)-(28), the form around the origin; Pitas et al. 2017",
         direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats", range=REALS, undefined=UNDEFINED,
         invariances=ON_THE_INPUTS)  # fmt: skip
def log_spec_orig(
    operator_norms: Norms, weights: dict[str, Tensor], geometry: Geometry, input_radius: Tensor, train_size: int,
    margin_10th_percentile: Tensor, *, delta: float = 0.01,
) -> Estimate:  # fmt: skip
    r"""Natural logarithm of the spectral capacity with its constants, around the origin.

    .. math:: \ln \frac{K^2 \prod_i \|A_i\|_2^2 \sum_j \|W_j\|_F^2 / \|A_j\|_2^2 + \ln(m / \delta)}{\gamma^2}, \quad
        K = 84 B \sum_j k_j \sqrt{c_j} + \sqrt{\ln(4 n^2 d)}

    for a chain of d layers, kernels of side k, c channels, images of side n and inputs of norm at most B; a dense layer is a
    convolution of one pixel. The margin bound has the root of this over m as its complexity. :math:`\|A_j\|_2` is the norm of
    the layer as the map that it is on its own input. Not a certificate: gamma, B and the norms were read from the data
    (``spectral-margin`` and the others of its family pay for that). Within one architecture and data set it orders networks much as
    ``spec-orig-main`` does.

    Args:
        operator_norms: Layer's name -> norm, and whether its iteration settled.
        weights: Layer's name -> ``[out, in]``.
        geometry: Of the chain.
        input_radius: B.
        train_size: m.
        margin_10th_percentile: Gamma.
        delta: Failure probability.

    Returns:
        The logarithm, withdrawn where a layer's iteration did not settle.

    Example:
        >>> norms, one = {"a": (torch.tensor(1.0), torch.tensor(True))}, Geometry((1.0,), (1,), (1,), 0.5)
        >>> found = log_spec_orig(norms, {"a": torch.ones(1, 1)}, one, torch.tensor(1.0), 1, torch.tensor(84.0), delta=1.0)
        >>> round(abs(found.value.item()), 6)  # ln(84^2 / 84^2)
        0.0
    """
    squares = torch.stack([weights[layer].double().square().sum() for layer in operator_norms])
    return _full(operator_norms, squares, geometry, input_radius, train_size, margin_10th_percentile, delta)


@measure(source="Jiang et al. 2020, logarithm of eqs. (24)-(28), the form around the initialisation; Pitas et al. 2017",
         direction=Direction.HIGHER_IS_WORSE, unit_of_value="nats", range=REALS, undefined=UNDEFINED,
         invariances=OF_TRAINING)  # fmt: skip
def log_spec_init(
    operator_norms: Norms, initial_difference_squares: dict[str, Tensor], geometry: Geometry, input_radius: Tensor,
    train_size: int, margin_10th_percentile: Tensor, *, delta: float = 0.01,
) -> Estimate:  # fmt: skip
    r"""Natural logarithm of the spectral capacity with its constants, around the initialisation.

    .. math:: \ln \frac{K^2 \prod_i \|A_i\|_2^2 \sum_j \|W_j - W_j^0\|_F^2 / \|A_j\|_2^2 + \ln(m / \delta)}{\gamma^2}

    with K as for ``log-spec-orig``.

    Args:
        operator_norms: Layer's name -> norm, and whether its iteration settled.
        initial_difference_squares: Layer's name -> squared Frobenius norm of the difference.
        geometry: Of the chain.
        input_radius: B.
        train_size: m.
        margin_10th_percentile: Gamma.
        delta: Failure probability.

    Returns:
        The logarithm, withdrawn where a layer's iteration did not settle.

    Example:
        >>> norms, one = {"a": (torch.tensor(1.0), torch.tensor(True))}, Geometry((1.0,), (1,), (1,), 0.5)
        >>> found = log_spec_init(norms, {"a": torch.tensor(1.0)}, one, torch.tensor(1.0), 1, torch.tensor(84.0), delta=1.0)
        >>> round(abs(found.value.item()), 6)  # ln(84^2 / 84^2)
        0.0
    """
    moved = torch.stack([initial_difference_squares[layer].double() for layer in operator_norms])
    return _full(operator_norms, moved, geometry, input_radius, train_size, margin_10th_percentile, delta)


def log_squares(spectra: dict[str, Tensor]) -> Float[Tensor, " L"]:
    """Logarithm of the squared spectral norm of every layer.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        One number a layer, float64.
    """
    return torch.stack([values[0].double().square().log() for values in spectra.values()])


def log_margin(gamma: Tensor) -> Tensor:
    """Logarithm of the margin; NaN where it is not positive, never that of its absolute value.

    Args:
        gamma: 10th percentile of the training margins.

    Returns:
        One number.
    """
    return torch.where(gamma > 0, gamma.double(), float("nan")).log()


def _main(logs: Tensor, squares: Tensor) -> Tensor:
    """``ln(prod exp(logs) sum squares / exp(logs))``; NaN where a layer is zero."""
    return logs.sum() + (squares.double().log() - logs).logsumexp(0)


def _full(
    norms: Norms, squares: Tensor, geometry: Geometry, radius: Tensor, size: int, gamma: Tensor, delta: float
) -> Estimate:
    spectral, settled = (torch.stack(column) for column in zip(*norms.values(), strict=True))
    depth = len(geometry.channels)
    breadth = math.fsum(k * math.sqrt(c) for k, c in zip(geometry.kernels, geometry.channels, strict=True))
    constant = 84 * radius.double() * breadth + math.sqrt(math.log(4 * geometry.side**2 * depth))
    main = 2 * constant.log() + _main(spectral.double().square().log(), squares)
    rest = torch.full_like(main, math.log(size / delta)).log()
    return estimate(torch.logaddexp(main, rest) - 2 * log_margin(gamma), converged=settled.all())
