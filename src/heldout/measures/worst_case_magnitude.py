"""Sharpness of boxes that follow the weights, as Jiang et al. measured it: how much of each weight may be taken or added."""

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.box_radii import BoxRadius
from heldout.engine.evidence.noise import FLOOR
from heldout.records import Direction, Estimate, estimate

BEYOND = "the network's own training error is above 0.1, so that no box keeps it at or below"
REALS = (float("-inf"), float("inf"))
IN_CHUNKS = {
    "is-the-same-in-chunks": "dear one network at a time; tests/engine/evidence/test_box_radii.py does it once"
}
FOLDING = ("batch-norm-folding",)  # the climbs start from one place, which permuted neurons do not share


@measure(source="Jiang et al. 2020, alpha' of eqs. (59)-(62)", direction=Direction.HIGHER_IS_BETTER, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_mag_alpha(magnitude_box_radius: BoxRadius) -> Estimate:
    r"""The largest box relative to each weight in which no more than a tenth of the training data is misclassified.

    .. math:: \alpha' = \max \{ a : \max_{|u_i| \le a |w_i| + \epsilon} \hat R(w + u) \le 0.1 \}, \quad \epsilon = 10^{-3}

    Args:
        magnitude_box_radius: The search.

    Returns:
        Alpha', a pure number, with the smallest box that failed as the upper end.

    Example:
        >>> import torch
        >>> half, one = torch.tensor(0.5), torch.tensor(1.0)
        >>> sharpness_mag_alpha(BoxRadius(half, one, one.bool(), one[None], one[None])).high.item()
        1.0
    """
    return _through(magnitude_box_radius, lambda alpha: alpha)


@measure(
    source="Jiang et al. 2020, eq. (62)",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=FOLDING,
    undefined=BEYOND,
    waives=IN_CHUNKS,
)
def sharpness_mag_flatness(magnitude_box_radius: BoxRadius) -> Estimate:
    r"""One over the squared alpha'.

    .. math:: 1 / \alpha'^2

    Args:
        magnitude_box_radius: As for ``sharpness-mag-alpha``.

    Returns:
        The inverse square.

    Example:
        >>> import torch
        >>> half, one = torch.tensor(0.5), torch.tensor(1.0)
        >>> sharpness_mag_flatness(BoxRadius(half, one, one.bool(), one[None], one[None])).value.item()
        4.0
    """
    return _through(magnitude_box_radius, lambda alpha: alpha**-2)


@measure(source="Jiang et al. 2020, eq. (60)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_mag_orig(
    magnitude_box_radius: BoxRadius,
    folded_vector: Float[Tensor, " P"],
    distance_vector: Float[Tensor, " P"],
    train_size: int,
    *,
    delta: float = 0.05,
) -> Estimate:
    r"""The magnitude-aware term at alpha', with the prior at the origin; its denominator keeps the distance from initialisation.

    .. math:: \frac14 \sum_{i=1}^\omega \ln \frac{\epsilon^2 + (\alpha'^2 + \lambda^2) \|w\|_2^2 / \omega}
        {\epsilon^2 + \alpha'^2 (w_i - w_i^0)^2} + \ln\frac{m}{\sigma'} + 10, \quad \lambda^2 = 4 \ln\frac{2 \omega}{\delta}, \quad
        \sigma' = \alpha' / \lambda, \quad \epsilon = 10^{-3}

    with this sigma', which the paper leaves open, the fraction is that of ``pacbayes-mag-orig`` where epsilon does not matter.

    Args:
        magnitude_box_radius: The search.
        folded_vector: w, of length omega.
        distance_vector: w - w0.
        train_size: m.
        delta: Probability of noise that leaves the box.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = BoxRadius((4 * math.log(8)) ** 0.5 * one, one + 9, one.bool(), one[None], one[None])
        >>> round(sharpness_mag_orig(found, torch.zeros(4), torch.zeros(4), 1, delta=1.0).value.item(), 4)
        10.0
    """
    reach = 4 * math.log(2 * folded_vector.shape[0] / delta)
    spread, moved = folded_vector.square().mean(), distance_vector.square()

    def term(alpha: Tensor) -> Tensor:
        above, below = FLOOR**2 + (alpha**2 + reach) * spread, FLOOR**2 + alpha**2 * moved
        return (above / below).log().sum() / 4 + (train_size * math.sqrt(reach) / alpha).log() + 10

    return _through(magnitude_box_radius, term)


@measure(source="Jiang et al. 2020, eq. (59)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_mag_init(
    magnitude_box_radius: BoxRadius, distance_vector: Float[Tensor, " P"], train_size: int, *, delta: float = 0.05
) -> Estimate:
    r"""The magnitude-aware term at alpha', with the prior at the initial weights.

    .. math:: \frac14 \sum_{i=1}^\omega \ln \frac{\epsilon^2 + (\alpha'^2 + \lambda^2) \|w - w^0\|_2^2 / \omega}
        {\epsilon^2 + \alpha'^2 (w_i - w_i^0)^2} + \ln\frac{m}{\sigma'} + 10

    with lambda, sigma' and epsilon as for ``sharpness-mag-orig``.

    Args:
        magnitude_box_radius: The search.
        distance_vector: w - w0, of length omega.
        train_size: m.
        delta: Probability of noise that leaves the box.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = BoxRadius((4 * math.log(8)) ** 0.5 * one, one + 9, one.bool(), one[None], one[None])
        >>> round(sharpness_mag_init(found, torch.zeros(4), 1, delta=1.0).value.item(), 4)
        10.0
    """
    return sharpness_mag_orig(magnitude_box_radius, distance_vector, distance_vector, train_size, delta=delta)


def _through(found: BoxRadius, term: Callable[[Tensor], Tensor]) -> Estimate:
    """A term of the radius, its interval from the box that passed and the one that failed."""
    value, other = term(found.radius), term(found.failing)
    low, high = value.minimum(other), value.maximum(other)
    return estimate(value, low=low, high=high, converged=found.converged)
