"""Sharpness after Keskar et al. as Jiang et al. measured it: the largest box of weights without many errors."""

import math
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.box_radii import BoxRadius
from heldout.records import Direction, Estimate, estimate

BEYOND = "the network's own training error is above 0.1, so that no box keeps it at or below"
REALS = (float("-inf"), float("inf"))
IN_CHUNKS = {
    "is-the-same-in-chunks": "dear one network at a time; tests/engine/evidence/test_box_radii.py does it once"
}
FOLDING = ("batch-norm-folding",)  # the climbs start from one place, which permuted neurons do not share


@measure(source="Jiang et al. 2020, alpha of eqs. (51)-(54)", direction=Direction.HIGHER_IS_BETTER, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_alpha(box_radius: BoxRadius) -> Estimate:
    r"""The largest half-width of a box around the weights in which no more than a tenth of the training data is misclassified.

    .. math:: \alpha = \max \{ a : \max_{|u_i| \le a} \hat R(w + u) \le 0.1 \}

    Over all parameters of the folded network. The value is the largest box tried in which two climbs found no more errors; they may
    miss some, so that the upper end of the interval is a bound on alpha and the lower end is not. It cannot see scale that
    moves between layers.

    Args:
        box_radius: The search.

    Returns:
        Alpha, in units of the weights, with the smallest box that failed as the upper end.

    Example:
        >>> import torch
        >>> half, one = torch.tensor(0.5), torch.tensor(1.0)
        >>> sharpness_alpha(BoxRadius(half, one, one.bool(), one[None], one[None])).value.item()
        0.5
    """
    return _through(box_radius, lambda alpha: alpha)


@measure(
    source="Jiang et al. 2020, eq. (54)",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=FOLDING,
    undefined=BEYOND,
    waives=IN_CHUNKS,
)
def sharpness_flatness(box_radius: BoxRadius) -> Estimate:
    r"""One over the squared alpha.

    .. math:: 1 / \alpha^2

    Args:
        box_radius: As for ``sharpness-alpha``.

    Returns:
        The inverse square.

    Example:
        >>> import torch
        >>> half, one = torch.tensor(0.5), torch.tensor(1.0)
        >>> sharpness_flatness(BoxRadius(half, one, one.bool(), one[None], one[None])).low.item()
        1.0
    """
    return _through(box_radius, lambda alpha: alpha**-2)


@measure(source="Jiang et al. 2020, eq. (52)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_orig(box_radius: BoxRadius, folded_vector: Float[Tensor, " P"], train_size: int) -> Estimate:
    r"""The PAC-Bayes term at the noise that stays within the box, with the prior at the origin.

    .. math:: \frac{\|w\|_2^2 \ln(2 \omega)}{4 \alpha^2} + \ln\frac{m}{\sigma} + 10, \quad \sigma = \alpha / \sqrt{\ln(2 \omega)}

    with omega parameters; with this sigma, which the paper leaves open, it is ``pacbayes-orig`` at that sigma. Not a bound: alpha was
    chosen on the data.

    Args:
        box_radius: The search.
        folded_vector: w.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = BoxRadius(math.log(4) ** 0.5 * one, one + 1, one.bool(), one[None], one[None])
        >>> round(sharpness_orig(found, torch.tensor([2.0, 2.0]), 1).value.item(), 4)
        12.0
    """
    breadth = math.sqrt(math.log(2 * folded_vector.shape[0]))
    squares = folded_vector.square().sum()
    return _through(
        box_radius, lambda alpha: squares / (4 * (alpha / breadth) ** 2) + (train_size * breadth / alpha).log() + 10
    )


@measure(source="Jiang et al. 2020, eq. (51)", direction=Direction.HIGHER_IS_WORSE, range=REALS, invariances=FOLDING,
         undefined=BEYOND, waives=IN_CHUNKS)  # fmt: skip
def sharpness_init(box_radius: BoxRadius, distance_vector: Float[Tensor, " P"], train_size: int) -> Estimate:
    r"""The PAC-Bayes term at the noise that stays within the box, with the prior at the initial weights.

    .. math:: \frac{\|w - w^0\|_2^2 \ln(2 \omega)}{4 \alpha^2} + \ln\frac{m}{\sigma} + 10,
        \quad \sigma = \alpha / \sqrt{\ln(2 \omega)}

    Args:
        box_radius: The search.
        distance_vector: w - w0.
        train_size: m.

    Returns:
        The term, in nats.

    Example:
        >>> import torch
        >>> one = torch.tensor(1.0)
        >>> found = BoxRadius(math.log(4) ** 0.5 * one, one + 1, one.bool(), one[None], one[None])
        >>> round(sharpness_init(found, torch.tensor([0.0, 0.0]), 1).value.item(), 4)
        10.0
    """
    return sharpness_orig(box_radius, distance_vector, train_size)


def _through(found: BoxRadius, term: Callable[[Tensor], Tensor]) -> Estimate:
    """A term of the radius, its interval from the box that passed and the one that failed."""
    value, other = term(found.radius), term(found.failing)
    low, high = value.minimum(other), value.maximum(other)
    return estimate(value, low=low, high=high, converged=found.converged)
