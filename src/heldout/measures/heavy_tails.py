"""Power-law tails of the layers' spectra, with the exponents that random matrices of the same shapes have."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance

WEIGHTS_ONLY = ("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")
RESCALABLE = (*WEIGHTS_ONLY, "layer-rescaling")
ALL_SHORT = "no layer has the ten eigenvalues that the fit of a tail needs"


def mean_alpha(tails: Mapping[str, Fit]) -> tuple[Tensor, Tensor]:
    """Mean exponent over the layers that have one.

    Args:
        tails: Layer's name -> fit.

    Returns:
        Mean and its standard error, the layers' errors taken as independent; NaN if no layer has an exponent.
    """
    if not tails:
        return torch.tensor(float("nan")), torch.tensor(float("nan"))
    alphas, errors = (torch.stack([tail[field] for tail in tails.values()]) for field in (0, 1))
    layers = alphas.isfinite().sum()
    return alphas.nansum() / layers, errors.square().nansum().sqrt() / layers


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075; Clauset, Shalizi & Newman 2009, eq. (3.1)",
         direction=Direction.HIGHER_IS_WORSE, range=(1.0, float("inf")), undefined=ALL_SHORT,
         invariances=RESCALABLE)  # fmt: skip
def alpha(tails: Mapping[str, Fit]) -> Estimate:
    r"""Mean over layers of the exponent of the power law in the tail of the eigenvalues of W W^T.

    .. math:: p(\lambda) \sim \lambda^{-\alpha} \ (\lambda \ge x_{min}), \qquad \alpha = 1 + n / \sum_i \ln(\lambda_i / x_{min})

    with xmin where the Kolmogorov-Smirnov distance is smallest. Layers of fewer than ten eigenvalues are left out.
    Convolutions are read as matrices (out, in * receptive field), not as one matrix a kernel position.

    Untrained networks have exponents too: read it against ``alpha-at-random``. It cannot see whether a power law describes
    the tail at all, nor the scale of the weights. The standard error is that of the fits with their xmin taken as known.

    Args:
        tails: Layer's name -> fit.

    Returns:
        The mean with its standard error.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (3.0, 0.5, 1.0, 16.0, 0.1))
        >>> alpha({"a": fit}).value.item()
        3.0
    """
    mean, error = mean_alpha(tails)
    return estimate(mean, standard_error=error)


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, on Gaussian matrices", direction=Direction.NEITHER,
         range=(1.0, float("inf")), undefined=ALL_SHORT, invariances=RESCALABLE)  # fmt: skip
def alpha_at_random(tails_at_random: Mapping[str, Fit]) -> Estimate:
    r"""What ``alpha`` is for one draw of Gaussian matrices of the same shapes: the exponent without training.

    .. math:: W_j \sim \mathcal{N}(0, \sigma_j^2)^{m_j \times n_j}

    It depends on the shapes of the layers alone, and says nothing about the network.

    Args:
        tails_at_random: Layer's name -> fit.

    Returns:
        The mean over layers with its standard error.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (9.0, 2.0, 1.0, 16.0, 0.1))
        >>> alpha_at_random({"a": fit}).standard_error.item()
        2.0
    """
    mean, error = mean_alpha(tails_at_random)
    return estimate(mean, standard_error=error)


@measure(source="difference of alpha (Martin & Mahoney 2021) to its random reference", direction=Direction.HIGHER_IS_WORSE,
         range=(float("-inf"), float("inf")), undefined=ALL_SHORT, invariances=RESCALABLE)  # fmt: skip
def alpha_excess(tails: Mapping[str, Fit], tails_at_random: Mapping[str, Fit]) -> Estimate:
    r"""How far ``alpha`` stands above ``alpha-at-random``; training that has formed a heavy tail makes it negative.

    .. math:: \bar\alpha(W) - \bar\alpha(\mathrm{random}), \qquad s^2 = s_W^2 + s_{random}^2

    Within about two standard errors of 0, the exponents say nothing about training.

    Args:
        tails: Layer's name -> fit.
        tails_at_random: Layer's name -> fit of the reference.

    Returns:
        The difference with its standard error.

    Example:
        >>> trained = tuple(torch.tensor(number) for number in (3.0, 3.0, 1.0, 16.0, 0.1))
        >>> random = tuple(torch.tensor(number) for number in (9.0, 4.0, 1.0, 16.0, 0.1))
        >>> [part.item() for part in alpha_excess({"a": trained}, {"a": random})[:2]]
        [-6.0, 5.0]
    """
    (mean, error), (reference, spread) = mean_alpha(tails), mean_alpha(tails_at_random)
    return estimate(mean - reference, standard_error=(error.square() + spread.square()).sqrt())


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075: log spectral norm", direction=Direction.HIGHER_IS_WORSE,
         range=(float("-inf"), float("inf")), unit_of_value="log10", invariances=RESCALABLE,
         undefined="the weights of a layer are all zero")  # fmt: skip
def log_spectral_norm(spectra: dict[str, Tensor]) -> Tensor:
    r"""Mean over layers of the decimal logarithm of the largest eigenvalue of W W^T.

    .. math:: \frac1d \sum_j \log_{10} \|W_j\|_2^2

    ``log-prod-of-spec`` in other units, and averaged: comparable between depths.

    Args:
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The mean.

    Example:
        >>> log_spectral_norm({"a": torch.tensor([10.0, 1.0]), "b": torch.tensor([1.0])}).item()
        1.0
    """
    mean = torch.stack([values[0].square().log10() for values in spectra.values()]).mean()
    return torch.where(mean.isneginf(), float("nan"), mean)


@measure(source="Martin, Peng & Mahoney 2021, Nature Communications 12, 4122: weighted alpha",
         direction=Direction.HIGHER_IS_WORSE, range=(float("-inf"), float("inf")), undefined=ALL_SHORT,
         invariances=WEIGHTS_ONLY)  # fmt: skip
def alpha_weighted(tails: Mapping[str, Fit], spectra: dict[str, Tensor]) -> Estimate:
    r"""Mean over layers of the exponent times the decimal logarithm of the largest eigenvalue: shape times scale.

    .. math:: \hat\alpha = \frac1d \sum_j \alpha_j \log_{10} \|W_j\|_2^2

    Layers of fewer than ten eigenvalues are left out. It changes sign with the scale of the weights, and moving scale
    between layers changes it.

    Args:
        tails: Layer's name -> fit.
        spectra: Layer's name -> singular values in descending order.

    Returns:
        The mean with the standard error that comes from the exponents.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (3.0, 0.5, 1.0, 16.0, 0.1))
        >>> alpha_weighted({"a": fit}, {"a": torch.tensor([10.0, 1.0])}).value.item()
        6.0
    """
    logs = {layer: spectra[layer][0].square().log10() for layer in tails}
    weighted = {layer: (fit[0] * logs[layer], fit[1] * logs[layer], *fit[2:]) for layer, fit in tails.items()}
    mean, error = mean_alpha(weighted)
    return estimate(mean, standard_error=error)
