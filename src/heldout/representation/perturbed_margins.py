"""Margins of training points that were changed: mixed with others of their class, or augmented."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.boundary import Distances
from heldout.engine.numerics.quantiles import sorted_quantile
from heldout.records import Direction, Estimate, estimate

SOURCE = "Natekar and Sharma 2020, arXiv 2012.02775"
SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
ANYWHERE = (float("-inf"), float("inf"))
NO_MARGIN = "all points have the same representation, or the scores do not depend on it at some of them"
GROUPS = 10  # the entry took ten batches of 50; here they are the groups of the jackknife


@measure(source=f"{SOURCE}: mixup margin", direction=Direction.HIGHER_IS_BETTER, range=ANYWHERE, undefined=NO_MARGIN,
         invariances=SAME_FUNCTION)  # fmt: skip
def mixup_margin(mixed_distances: Distances) -> Estimate:
    r"""Mean of five numbers of the margins of mixtures within a class, at the first hidden layer.

    .. math:: \tfrac15 (f_- + Q_1 + Q_2 + Q_3 + f_+) \text{ of }
        \frac{f(\tilde x_i)_{y_i} - \max_{j \ne y_i} f(\tilde x_i)_j}{\|\nabla_h (\cdot)\|\, s}, \quad
        \tilde x_i = \tfrac12 x_i + \tfrac12 x_{\pi(i)}

    s is the root of the mean variance of the features of h, a twentieth of them trimmed at either end; :math:`f_-` is the largest
    margin more than 1.5 quartile distances below :math:`Q_1`, or the smallest of all where there is none, and :math:`f_+` likewise.
    A misclassified mixture has a negative margin. It cannot see what lies between classes; its score in the competition ranged
    from 1 to 47 between tasks.

    Args:
        mixed_distances: Of at most 500 mixtures.

    Returns:
        The mean, with a standard error by the jackknife over ten groups of points.

    Example:
        >>> from heldout.engine.evidence.boundary import Distances
        >>> at = Distances({"0": torch.tensor([0.0, 2, 4, 6, 8])}, {"0": torch.tensor(9.0)}, {"0": torch.tensor(4.0)})
        >>> mixup_margin(at).value.item()
        2.0
    """
    return _summary(mixed_distances)


@measure(source=f"{SOURCE}: augment margin", direction=Direction.HIGHER_IS_BETTER, range=ANYWHERE, undefined=NO_MARGIN,
         invariances=SAME_FUNCTION, waives={"swallows-no-nan": "the check's inputs are no pictures",
         "changes-nothing": "the check's inputs are no pictures"})  # fmt: skip
def augment_margin(augmented_distances: Distances) -> Estimate:
    r"""Mean of five numbers of the margins of training pictures mirrored, flattened and zoomed at random, at the first hidden layer.

    .. math:: \tfrac15 (f_- + Q_1 + Q_2 + Q_3 + f_+) \text{ of }
        \frac{f(\tilde x_i)_{y_i} - \max_{j \ne y_i} f(\tilde x_i)_j}{\|\nabla_h (\cdot)\|\, s}

    As the mixup margin, with each picture mirrored or not, its contrast multiplied by 0.7 to 1, and its middle enlarged by up to
    15 % or not. It cannot tell a network that learnt to ignore these changes from one that was trained on them.

    Args:
        augmented_distances: Of at most 500 changed pictures.

    Returns:
        The mean, with a standard error by the jackknife over ten groups of points.

    Example:
        >>> from heldout.engine.evidence.boundary import Distances
        >>> at = Distances({"0": torch.tensor([0.0, 2, 4, 6, 8])}, {"0": torch.tensor(9.0)}, {"0": torch.tensor(4.0)})
        >>> augment_margin(at).value.item()
        2.0
    """
    return _summary(augmented_distances)


def _summary(distances: Distances) -> Estimate:
    (margins,) = (d / distances.typical[place].sqrt().unsqueeze(-1) for place, d in distances.distance.items())
    value = five_numbers_mean(margins)
    error = _jackknife(margins) if len(margins) > 1 else torch.full_like(value, float("nan"))
    known = torch.isfinite(value)
    return estimate(torch.where(known, value, float("nan")), standard_error=torch.where(known, error, float("nan")))


def _jackknife(margins: Tensor) -> Tensor:
    """Standard error of the mean of five numbers, from leaving out every group of points in turn."""
    groups = min(GROUPS, len(margins))
    number = torch.arange(len(margins) // groups * groups) % groups
    kept = torch.stack([(number != group).nonzero().squeeze(-1) for group in range(groups)])
    return ((groups - 1) * five_numbers_mean(margins[kept.to(margins.device)]).var(correction=0)).sqrt()


def five_numbers_mean(margins: Tensor) -> Tensor:
    """Mean of the quartiles and of the entry's fences: the outliers that are nearest, or else the outermost numbers.

    Args:
        margins: ``[..., n]``.

    Returns:
        ``[...]``.

    Example:
        Quartiles 1, 2 and 3; -4 lies below the lower fence, nothing above the upper: (-4 + 1 + 2 + 3 + 3) / 5.

        >>> five_numbers_mean(torch.tensor([-4.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0])).item()
        1.0
    """
    ordered = margins.sort(dim=-1).values
    first, middle, third = (sorted_quantile(ordered, q) for q in (0.25, 0.5, 0.75))
    reach = 1.5 * (third - first)
    below = ordered < (first - reach).unsqueeze(-1)
    above = ordered > (third + reach).unsqueeze(-1)
    low = torch.where(below.any(-1), torch.where(below, ordered, -torch.inf).amax(-1), ordered[..., 0])
    high = torch.where(above.any(-1), torch.where(above, ordered, torch.inf).amin(-1), ordered[..., -1])
    return (low + first + middle + third + high) / 5
