"""How much Gaussian noise the weights bear, plain and in proportion to each weight."""

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.noise import NoiseScale
from heldout.records import Direction, Estimate, estimate

BEYOND = "the network's own training error is at least 0.1, so that no noise keeps it below"
FOLDING = ("batch-norm-folding",)  # permuted neurons keep the distribution of the noise, not its draws


def _as_estimate(found: NoiseScale, value: Tensor, slope: Tensor) -> Estimate:
    """Delta method: the standard error of ``value(scale)`` is that of the scale times the slope's absolute value."""
    return estimate(value, standard_error=slope.abs() * found.standard_error, converged=found.converged)


@measure(source="Jiang et al. 2020, sigma of eqs. (48)-(53)", direction=Direction.HIGHER_IS_BETTER, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_sigma(noise_scale: NoiseScale) -> Estimate:
    r"""The largest standard deviation of Gaussian weight noise that leaves the expected training error at or below a tenth.

    .. math:: \sigma = \max \{ s : E_{u \sim N(0, s^2 I)} \hat R(w + u) \le 0.1 \}

    Over all parameters of the folded network. It cannot see scale that moves between layers: rescaled layers compute the
    same and bear another sigma.

    Args:
        noise_scale: The search, with its standard error over draws and subsets.

    Returns:
        Sigma, a standard deviation.

    Example:
        >>> import torch
        >>> point = torch.tensor([0.5, 0.1, 1.0], dtype=torch.float64)
        >>> pacbayes_sigma(NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)).value.item()
        0.5
    """
    return _as_estimate(noise_scale, noise_scale.scale, torch.ones_like(noise_scale.scale))


@measure(
    source="Jiang et al. 2020, eq. (53)", direction=Direction.HIGHER_IS_WORSE, invariances=FOLDING, undefined=BEYOND
)
def pacbayes_flatness(noise_scale: NoiseScale) -> Estimate:
    r"""One over the squared sigma.

    .. math:: 1 / \sigma^2

    Args:
        noise_scale: As for ``pacbayes-sigma``.

    Returns:
        The inverse variance.

    Example:
        >>> import torch
        >>> point = torch.tensor([0.5, 0.125, 1.0], dtype=torch.float64)
        >>> found = NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)
        >>> pacbayes_flatness(found).value.item(), pacbayes_flatness(found).standard_error.item()
        (4.0, 2.0)
    """
    sigma = noise_scale.scale
    return _as_estimate(noise_scale, sigma**-2, -2 * sigma**-3)


@measure(source="Jiang et al. 2020, sigma' of eqs. (56)-(61)", direction=Direction.HIGHER_IS_BETTER, invariances=FOLDING,
         undefined=BEYOND)  # fmt: skip
def pacbayes_mag_sigma(magnitude_noise_scale: NoiseScale) -> Estimate:
    r"""The largest noise relative to each weight that leaves the expected training error at or below a tenth.

    .. math:: \sigma' = \max \{ s : E_{u_i \sim N(0, s^2 w_i^2 + \epsilon^2)} \hat R(w + u) \le 0.1 \}, \quad \epsilon = 10^{-3}

    Args:
        magnitude_noise_scale: The search.

    Returns:
        Sigma', a pure number.

    Example:
        >>> import torch
        >>> point = torch.tensor([0.5, 0.1, 1.0], dtype=torch.float64)
        >>> pacbayes_mag_sigma(NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)).value.item()
        0.5
    """
    return pacbayes_sigma(magnitude_noise_scale)


@measure(
    source="Jiang et al. 2020, eq. (61)", direction=Direction.HIGHER_IS_WORSE, invariances=FOLDING, undefined=BEYOND
)
def pacbayes_mag_flatness(magnitude_noise_scale: NoiseScale) -> Estimate:
    r"""One over the squared sigma'.

    .. math:: 1 / \sigma'^2

    Args:
        magnitude_noise_scale: As for ``pacbayes-mag-sigma``.

    Returns:
        The inverse relative variance.

    Example:
        >>> import torch
        >>> point = torch.tensor([0.5, 0.1, 1.0], dtype=torch.float64)
        >>> pacbayes_mag_flatness(NoiseScale(*point, sigmas=point, errors=point, errors_standard_error=point)).value.item()
        4.0
    """
    return pacbayes_flatness(magnitude_noise_scale)


@profile(source="expected training error under Gaussian weight noise, the curve on which Jiang et al. 2020 read sigma")
def noise_curve(noise_scale: NoiseScale, magnitude_noise_scale: NoiseScale) -> dict[str, list[float | int | str]]:
    """Mean training error against the scale of the noise, where it was evaluated, the scale ascending.

    Args:
        noise_scale: The plain search.
        magnitude_noise_scale: The magnitude-aware search.

    Returns:
        Columns member, kind (``"plain"`` or ``"magnitude-aware"``), sigma, error, standard_error.

    Example:
        >>> import torch
        >>> point = torch.tensor([[0.5]])
        >>> found = NoiseScale(point[0], point[0], point[0], point, point, point)
        >>> noise_curve(found, found)["kind"]
        ['plain', 'magnitude-aware']
    """
    columns: dict[str, list[float | int | str]] = {
        name: [] for name in ("member", "kind", "sigma", "error", "standard_error")
    }
    for kind, found in (("plain", noise_scale), ("magnitude-aware", magnitude_noise_scale)):
        members, points = found.sigmas.shape
        columns["member"] += [member for member in range(members) for _ in range(points)]
        columns["kind"] += [kind] * (members * points)
        columns["sigma"] += found.sigmas.flatten().tolist()
        columns["error"] += found.errors.flatten().tolist()
        columns["standard_error"] += found.errors_standard_error.flatten().tolist()
    return columns
