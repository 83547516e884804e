"""How fast labels change between nearby training inputs."""

import math

import torch
from jaxtyping import Float
from scipy.stats import binom
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate

ANY = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
TWICE = "equal inputs have different labels, which is infinitely sharp"


@measure(source="Konz and Mazurowski 2024, definition of the label sharpness K_F", direction=Direction.HIGHER_IS_WORSE,
         undefined=TWICE, invariances=ANY)  # fmt: skip
def label_sharpness(label_slopes: Float[Tensor, " N"]) -> Tensor:
    r"""Largest change of the label per unit of distance between two training inputs.

    .. math:: \hat K_F = \max_{j \ne k} \frac{\|y_j - y_k\|}{\|x_j - x_k\|}

    the distance of two classes being 1. Over all pairs of at most 1000 examples; it grows with their number, and one mislabelled
    example sets it: ``label-sharpness-percentile`` does not hang on one. In the inputs' own units, and the same for every
    network. A maximum has no standard error. In high dimension all distances are alike, and it says little.

    Args:
        label_slopes: Steepest change at every example.

    Returns:
        The largest; NaN where it is infinite.

    Example:
        >>> import torch
        >>> label_sharpness(torch.tensor([0.5, 2.0])).item()
        2.0
    """
    return finite(label_slopes.amax())


@measure(source="Konz and Mazurowski 2024, definition of K_F, with a percentile instead of the maximum",
         direction=Direction.HIGHER_IS_WORSE, undefined=TWICE, invariances=ANY)  # fmt: skip
def label_sharpness_percentile(label_slopes: Float[Tensor, " N"], *, percentile: float = 90.0) -> Estimate:
    r"""Change of the label per unit of distance that a tenth of the training inputs exceed.

    .. math:: Q_{0.9}\Big(\max_k \frac{\|y_j - y_k\|}{\|x_j - x_k\|}\Big)

    Of a classification, one over the distance to the nearest example of another class. The interval is that of order statistics,
    95 %, as if examples were independent, while the two ends of a short distance are not. It grows with the number of examples.

    Args:
        label_slopes: Steepest change at every example.
        percentile: Which.

    Returns:
        The percentile with its interval; NaN where it is infinite.

    Example:
        >>> import torch
        >>> label_sharpness_percentile(torch.arange(11.0)).value.item()
        9.0
    """
    ordered, count, share = label_slopes.sort().values, len(label_slopes), percentile / 100
    place = share * (count - 1)
    low, high = (int(binom.ppf(tail, count, share)) for tail in (0.025, 0.975))
    ends = [ordered[at] if 0 <= at < count else None for at in (low - 1, high)]
    value = ordered[math.floor(place)].lerp(ordered[math.ceil(place)], place - math.floor(place))
    low_end, high_end = (None if end is None else finite(end) for end in ends)
    return estimate(finite(value), low=low_end, high=high_end)


def finite(value: Tensor) -> Tensor:
    """The value where it is finite, NaN elsewhere.

    Args:
        value: A number.

    Returns:
        The same or NaN.
    """
    return torch.where(torch.isfinite(value), value, float("nan"))
