"""How many linear pieces meet around the training points."""

from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(source="Humayun, Balestriero and Baraniuk 2024, section 3 (radius 0.005)", direction=Direction.NEITHER,
         invariances=("layer-rescaling", "neuron-permutation", "logit-shift", "logit-scale"))  # fmt: skip
def local_complexity(local_complexities: Tensor) -> Estimate:
    r"""Mean number of ReLU units that change their sign within a small cross-polytope around a training point.

    .. math:: \frac{1}{n} \sum_i \#\{u : \operatorname{sign} u \text{ differs among } x_i \pm r d_1, \ldots, x_i \pm r d_D\}

    The boundaries of linear regions that pass by; d are random orthonormal directions, D = 12 (the authors' code takes 20 for
    pictures), and r = 0.005 in the units of the inputs. It cannot see boundaries that pass between the vertices, nor ReLUs that
    are called as functions, not modules.

    Args:
        local_complexities: Counts around some training points, ``[n]``.

    Returns:
        The mean, with its standard error over the points.

    Example:
        >>> import torch
        >>> local_complexity(torch.tensor([1.0, 3.0])).value.item()
        2.0
    """
    count = len(local_complexities)
    spread = local_complexities.std() / count**0.5 if count > 1 else None
    return estimate(local_complexities.mean(), standard_error=spread)
