"""How many directions data and representations vary in, from the distances of nearest neighbours.

scikit-dimension has both estimates, for one cloud at a time and without their errors, and brings numba and matplotlib: here they
are a few lines over all networks at once, and the tests hold them to its numbers.
"""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.local_dimension import by_likelihood, jackknifed
from heldout.engine.evidence.neighbours import NEIGHBOURS, Neighbours
from heldout.records import Direction, Estimate

ANY = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
TOO_FEW = "there are not enough distinct examples, or all neighbours are equally far, as on a grid"
LEVINA = "Levina and Bickel 2004, eq. (8), averaged as MacKay and Ghahramani 2005"
FACCO = "Facco et al. 2017, eq. (5) and the fit after it"


@measure(source=f"{LEVINA}; of data: Pope et al. 2021; Konz and Mazurowski 2024", direction=Direction.HIGHER_IS_WORSE,
         undefined=TOO_FEW, invariances=ANY)  # fmt: skip
def data_dimension_mle(data_neighbours: Neighbours, *, neighbours: int = NEIGHBOURS) -> Estimate:
    r"""Intrinsic dimension of the training inputs by maximum likelihood.

    .. math:: d = \Big[\frac{1}{n (k - 1)} \sum_i \sum_{j < k} \ln \frac{T_k(x_i)}{T_j(x_i)}\Big]^{-1}

    ``T_j`` is the distance to the j-th neighbour among at most 1000 examples. The same for every network. Above ten dimensions
    or so a thousand points are too few, and it says too little; noise makes it say too much. The standard error is a jackknife
    over 20 groups of examples that lie together.

    Args:
        data_neighbours: Of the inputs.
        neighbours: k.

    Returns:
        The dimension, NaN where it has none.

    Example:
        Neighbours at 1, and at e, everywhere: one over the logarithm of their ratio.

        >>> known = Neighbours(torch.tensor([[1.0, 2.718281828]] * 2), torch.tensor([0, 1]))
        >>> round(data_dimension_mle(known, neighbours=2).value.item(), 6)
        1.0
    """
    return by_likelihood(data_neighbours, neighbours)


@measure(source=f"{LEVINA}; of representations: Ansuini et al. 2019; Konz and Mazurowski 2024",
         direction=Direction.HIGHER_IS_WORSE, undefined=TOO_FEW, invariances=ANY)  # fmt: skip
def representation_dimension_mle(representation_neighbours: Neighbours, *, neighbours: int = NEIGHBOURS) -> Estimate:
    r"""Intrinsic dimension of what the last weight layer receives, by maximum likelihood.

    .. math:: d = \Big[\frac{1}{n (k - 1)} \sum_i \sum_{j < k} \ln \frac{T_k(x_i)}{T_j(x_i)}\Big]^{-1}

    As ``data-dimension-mle``, on the same examples unless the representations are very wide. Examples of which a ReLU network
    keeps nothing apart count once. It cannot see how many dimensions the classes span together, only those within reach of k
    neighbours.

    Args:
        representation_neighbours: Of the representations.
        neighbours: k.

    Returns:
        The dimension, NaN where it has none.

    Example:
        >>> known = Neighbours(torch.tensor([[1.0, 2.718281828]] * 2), torch.tensor([0, 1]))
        >>> round(representation_dimension_mle(known, neighbours=2).value.item(), 6)
        1.0
    """
    return by_likelihood(representation_neighbours, neighbours)


@measure(source=FACCO, direction=Direction.HIGHER_IS_WORSE, undefined=TOO_FEW, invariances=ANY)
def data_dimension_two_nn(data_neighbours: Neighbours, *, discard: float = 0.1) -> Estimate:
    r"""Intrinsic dimension of the training inputs from their two nearest neighbours.

    .. math:: -\ln(1 - F(\mu)) = d \ln \mu, \quad \mu = T_2 / T_1

    d is the slope through the origin, F the empirical distribution of the ratios, without the largest tenth. It looks closer
    than the estimate by likelihood, which makes it less curved by density and more by noise.

    Args:
        data_neighbours: Of the inputs.
        discard: Share of the largest ratios that is left out.

    Returns:
        The dimension, NaN where it has none.

    Example:
        Ratios at the quantiles of a plane, whose law is ``F = 1 - mu^-2``.

        >>> share = torch.arange(1, 11, dtype=torch.float64) / 10 - 1e-9
        >>> known = Neighbours(torch.stack([torch.ones(10), (1 - share) ** -0.5], dim=1), torch.arange(10))
        >>> round(data_dimension_two_nn(known).value.item(), 4)
        2.0
    """
    return by_ratios(data_neighbours, discard)


@measure(source=f"{FACCO}; of representations: Ansuini et al. 2019", direction=Direction.HIGHER_IS_WORSE,
         undefined=TOO_FEW, invariances=ANY)  # fmt: skip
def representation_dimension_two_nn(representation_neighbours: Neighbours, *, discard: float = 0.1) -> Estimate:
    r"""Intrinsic dimension of what the last weight layer receives, from the two nearest neighbours.

    .. math:: -\ln(1 - F(\mu)) = d \ln \mu, \quad \mu = T_2 / T_1

    As ``data-dimension-two-nn``. Ansuini et al. found it low in the last hidden layer of networks that generalize.

    Args:
        representation_neighbours: Of the representations.
        discard: Share of the largest ratios that is left out.

    Returns:
        The dimension, NaN where it has none.

    Example:
        >>> share = torch.arange(1, 11, dtype=torch.float64) / 10 - 1e-9
        >>> known = Neighbours(torch.stack([torch.ones(10), (1 - share) ** -0.5], dim=1), torch.arange(10))
        >>> round(representation_dimension_two_nn(known).value.item(), 4)
        2.0
    """
    return by_ratios(representation_neighbours, discard)


def by_ratios(around: Neighbours, discard: float) -> Estimate:
    """The estimate of Facco et al.

    Args:
        around: Distances ``[n, K]`` and cells ``[n]``.
        discard: Share of the largest ratios that is left out.

    Returns:
        Dimension and standard error.
    """
    near = around.distances[:, :2].double()
    counted = torch.isfinite(near).all(1) & (near.shape[1] == 2)
    log_ratio, order = torch.where(counted, (near[:, -1] / near[:, 0]).log(), float("inf")).sort()

    def slope(weight: Tensor) -> Tensor:
        weight = weight[:, order]
        share = weight.cumsum(1) / weight.sum(1, keepdim=True)
        kept = (weight > 0) & (share <= 1 - discard + 1e-12) & (share < 1)
        x = torch.where(kept, log_ratio, 0.0)
        return (x * torch.where(kept, -torch.log1p(-share), 0.0)).sum(1) / x.square().sum(1)

    return jackknifed(slope, counted.double(), around.cells)
