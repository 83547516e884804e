"""PAC-Bayes terms at the largest noise that the weights bear, with the prior at the origin or at initialisation."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.noise import FLOOR, NoiseScale
from heldout.records import Direction, Estimate, estimate

BEYOND = "the network's own training error is at least 0.1, so that no noise keeps it below"
REALS = (float("-inf"), float("inf"))
FOLDING = ("batch-norm-folding",)  # permuted neurons keep the distribution of the noise, not its draws


@measure(source="Jiang et al. 2020, eq. (49)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_orig(noise_scale: NoiseScale, folded_vector: Float[Tensor, " P"], train_size: int) -> Estimate:
    r"""PAC-Bayes term with the prior at the origin.

    .. math:: \frac{\|w\|_2^2}{4 \sigma^2} + \ln\frac{m}{\sigma} + 10

    w are all parameters of the folded network, those that the noise moves. Not a bound: sigma was chosen on the data.

    Args:
        noise_scale: The search.
        folded_vector: w.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> point = torch.tensor([1.0, 0.1, 1.0], dtype=torch.float64)
        >>> found = NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)
        >>> pacbayes_orig(found, torch.tensor([2.0, 2.0, 2.0, 2.0]), 1).value.item()
        14.0
    """
    sigma, squares = noise_scale.scale, folded_vector.square().sum()
    value = squares / (4 * sigma**2) + (train_size / sigma).log() + 10
    return _as_estimate(noise_scale, value, -squares / (2 * sigma**3) - 1 / sigma)


@measure(source="Jiang et al. 2020, eq. (48)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_init(noise_scale: NoiseScale, distance_vector: Float[Tensor, " P"], train_size: int) -> Estimate:
    r"""PAC-Bayes term with the prior at the initial weights.

    .. math:: \frac{\|w - w^0\|_2^2}{4 \sigma^2} + \ln\frac{m}{\sigma} + 10

    Args:
        noise_scale: The search.
        distance_vector: w - w0.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> point = torch.tensor([1.0, 0.1, 1.0], dtype=torch.float64)
        >>> found = NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)
        >>> pacbayes_init(found, torch.tensor([2.0, 0.0, 0.0, 0.0]), 1).value.item()
        11.0
    """
    return pacbayes_orig(noise_scale, distance_vector, train_size)


@measure(source="Jiang et al. 2020, eq. (56)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_mag_init(
    magnitude_noise_scale: NoiseScale, distance_vector: Float[Tensor, " P"], train_size: int
) -> Estimate:
    r"""Magnitude-aware PAC-Bayes term with the prior at the initial weights.

    .. math:: \frac14 \sum_{i=1}^\omega \ln \frac{\epsilon^2 + (\sigma'^2 + 1) \|w - w^0\|_2^2 / \omega}
        {\epsilon^2 + \sigma'^2 (w_i - w_i^0)^2} + \ln\frac{m}{\sigma'} + 10, \quad \epsilon = 10^{-3}

    Args:
        magnitude_noise_scale: The search.
        distance_vector: w - w0, of length omega.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        Weights that did not move leave only the last two terms.

        >>> import torch
        >>> point = torch.tensor([1.0, 0.1, 1.0], dtype=torch.float64)
        >>> found = NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)
        >>> pacbayes_mag_init(found, torch.zeros(4), 1).value.item()
        10.0
    """
    return _magnitude_aware(magnitude_noise_scale, distance_vector, distance_vector, train_size)


@measure(source="Jiang et al. 2020, eq. (57)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_mag_orig(
    magnitude_noise_scale: NoiseScale,
    folded_vector: Float[Tensor, " P"],
    distance_vector: Float[Tensor, " P"],
    train_size: int,
) -> Estimate:
    r"""Magnitude-aware PAC-Bayes term with the prior at the origin; its denominator keeps the distance from initialisation.

    .. math:: \frac14 \sum_{i=1}^\omega \ln \frac{\epsilon^2 + (\sigma'^2 + 1) \|w\|_2^2 / \omega}
        {\epsilon^2 + \sigma'^2 (w_i - w_i^0)^2} + \ln\frac{m}{\sigma'} + 10, \quad \epsilon = 10^{-3}

    Args:
        magnitude_noise_scale: The search.
        folded_vector: w, of length omega.
        distance_vector: w - w0.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> point = torch.tensor([1.0, 0.1, 1.0], dtype=torch.float64)
        >>> found = NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)
        >>> pacbayes_mag_orig(found, torch.zeros(4), torch.zeros(4), 1).value.item()
        10.0
    """
    return _magnitude_aware(magnitude_noise_scale, folded_vector, distance_vector, train_size)


def _magnitude_aware(found: NoiseScale, centre: Tensor, distance: Tensor, train_size: int) -> Estimate:
    sigma, spread, moved = found.scale, centre.square().mean(), distance.square()
    above, below = FLOOR**2 + (sigma**2 + 1) * spread, FLOOR**2 + sigma**2 * moved
    value = (above / below).log().sum() / 4 + (train_size / sigma).log() + 10
    slope = (sigma * (spread / above - moved / below)).sum() / 2 - 1 / sigma
    return _as_estimate(found, value, slope)


def _as_estimate(found: NoiseScale, value: Tensor, slope: Tensor) -> Estimate:
    """Delta method: the standard error of ``value(scale)`` is that of the scale times the slope's absolute value."""
    return estimate(value, standard_error=slope.abs() * found.standard_error, converged=found.converged)
