"""Power-law tails of the layers' spectra, with the exponents that random matrices of the same shapes have."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate

Fit = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]  # alpha, standard error, start, size, distance

WEIGHTS_ONLY = ("batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")
RESCALABLE = (*WEIGHTS_ONLY, "layer-rescaling")
NO_CONVOLUTION = "its network has no convolution: tests/measures/test_heavy_tails.py does this on one that has"
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

    with xmin where the Kolmogorov-Smirnov distance is smallest. Layers of fewer than ten eigenvalues are left out. Gates of
    recurrent layers and the queries, keys and values of attention are layers of their own; a convolution is read as a matrix
    (out, in * receptive field) for each of its groups, not as one a kernel position, which is ``alpha-by-position``.

    Untrained networks have exponents too: read it against ``alpha-at-random``. It cannot see whether a power law describes
    the tail at all, which ``tail-p-value`` asks, nor the scale of the weights. Every layer counts once, one of ten eigenvalues
    as much as one of a thousand. The standard error is that of the fits with their xmin taken as known.

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


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, weighted by tail sizes; Clauset, Shalizi & Newman 2009, eq. (3.2)",
         direction=Direction.HIGHER_IS_WORSE, range=(1.0, float("inf")), undefined=ALL_SHORT,
         invariances=RESCALABLE)  # fmt: skip
def alpha_per_eigenvalue(tails: Mapping[str, Fit]) -> Estimate:
    r"""Mean over layers of the tail exponent, weighted by the eigenvalues in the tail, with a 95 % interval.

    .. math:: \bar\alpha = \frac{\sum_j n_j \alpha_j}{\sum_j n_j}, \qquad
        s^2 = \frac{\sum_j n_j (\alpha_j - 1)^2}{(\sum_j n_j)^2}, \qquad \bar\alpha \pm 1.96\, s

    A layer of ten eigenvalues counts little here, whereas it counts like any other in ``alpha``. Weights by the inverse
    squared errors would be tighter, and biased: the error of a small exponent is small. The interval takes the layers as
    independent and their xmin as known; that of one layer with xmin unknown stands in the table of tail checks.

    Args:
        tails: Layer's name -> fit.

    Returns:
        The mean with its standard error and interval, which is cut off at 1.

    Example:
        >>> one, two = (tuple(torch.tensor(x) for x in fit) for fit in ((3.0, 0.5, 1.0, 16.0, 0.1), (2.0, 0.5, 1.0, 4.0, 0.1)))
        >>> round(alpha_per_eigenvalue({"a": one, "b": two}).value.item(), 6)
        2.8
    """
    if not tails:
        return estimate(torch.tensor(float("nan")))
    alphas, errors, sizes = (torch.stack([tail[field] for tail in tails.values()]) for field in (0, 1, 3))
    total = sizes.nansum()
    value, error = (sizes * alphas).nansum() / total, (sizes * errors).square().nansum().sqrt() / total
    return estimate(value, standard_error=error, low=(value - 1.96 * error).clamp(min=1), high=value + 1.96 * error)


@measure(source="Martin & Mahoney 2021, arXiv 1810.01075, as the weightwatcher package reads convolutions",
         direction=Direction.HIGHER_IS_WORSE, range=(1.0, float("inf")), undefined=ALL_SHORT,
         invariances=RESCALABLE, waives=dict.fromkeys(("swallows-no-nan", "changes-nothing"), NO_CONVOLUTION))  # fmt: skip
def alpha_by_position(tails_by_position: Mapping[str, Fit]) -> Estimate:
    r"""``alpha`` with each convolution read as one matrix (out, in) a kernel position, their eigenvalues pooled before the fit.

    .. math:: \{\lambda\} = \bigcup_{a, b} \operatorname{eig}(W_{:,:,a,b} W_{:,:,a,b}^T)

    Other layers are read as in ``alpha``; networks without convolutions have no reading. Matrices of several positions share
    one exponent here although their scales differ, which itself makes a tail.

    Args:
        tails_by_position: Layer's name -> fit.

    Returns:
        The mean with its standard error.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (3.0, 0.5, 1.0, 16.0, 0.1))
        >>> alpha_by_position({"a": fit}).value.item()
        3.0
    """
    mean, error = mean_alpha(tails_by_position)
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
def alpha_weighted(tails: Mapping[str, Fit], block_spectra: dict[str, Tensor]) -> Estimate:
    r"""Mean over layers of the exponent times the decimal logarithm of the largest eigenvalue: shape times scale.

    .. math:: \hat\alpha = \frac1d \sum_j \alpha_j \log_{10} \|W_j\|_2^2

    Layers of fewer than ten eigenvalues are left out. It changes sign with the scale of the weights, and moving scale
    between layers changes it.

    Args:
        tails: Layer's name -> fit.
        block_spectra: Layer's name -> singular values in descending order.

    Returns:
        The mean with the standard error that comes from the exponents.

    Example:
        >>> fit = tuple(torch.tensor(number) for number in (3.0, 0.5, 1.0, 16.0, 0.1))
        >>> alpha_weighted({"a": fit}, {"a": torch.tensor([10.0, 1.0])}).value.item()
        6.0
    """
    logs = {layer: block_spectra[layer][0].square().log10() for layer in tails}
    weighted = {layer: (fit[0] * logs[layer], fit[1] * logs[layer], *fit[2:]) for layer, fit in tails.items()}
    mean, error = mean_alpha(weighted)
    return estimate(mean, standard_error=error)
