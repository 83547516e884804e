"""How far the training points lie from the decision boundary, in units of how far the points lie from each other."""

import torch
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.boundary import INPUT, Distances
from heldout.engine.numerics.quantiles import five_numbers, sorted_quantile
from heldout.records import Direction, Estimate, estimate

SOURCE = "Jiang, Krishnan, Mobahi and Bengio 2019, arXiv 1810.00113"
SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
NO_MARGIN = (
    "no training point is classified correctly, all have the same representation, or the scores do not depend on it"
)
NUMBERS = ("lower fence", "first quartile", "median", "third quartile", "upper fence")


@measure(source=f"{SOURCE}, at the input", direction=Direction.HIGHER_IS_BETTER, undefined=NO_MARGIN,
         invariances=SAME_FUNCTION)  # fmt: skip
def normalised_margin_input(input_distances: Distances) -> Estimate:
    r"""Median distance to the decision boundary in the input, over the spread of the inputs.

    .. math:: \operatorname{median}_{i:\, m_i > 0} \frac{m_i}{\|\nabla_x m_i\|} \Big/ \sqrt{\operatorname{tr} \operatorname{Cov}(x)},
        \quad m_i = f(x_i)_{y_i} - \max_{j \ne y_i} f(x_i)_j

    The distance is exact for a linear network and of first order for others. Misclassified points are left out, as in the
    source. It cannot see how the boundary bends before it is reached; Mouton et al. (2024) find that margins at the input
    alone do not predict generalization unless they are confined to directions in which the data vary.

    Args:
        input_distances: Of at most 500 training points.

    Returns:
        The median, with its standard error over the choice of points.

    Example:
        A linear network ``(x_1, -x_1)``: the distances are x_1 itself, and the inputs spread by 2.

        >>> from heldout.engine.evidence.boundary import Distances
        >>> at = Distances({"": torch.tensor([1.0, 3.0, 5.0, -7.0])}, {"": torch.tensor(4.0)}, {"": torch.tensor(4.0)})
        >>> normalised_margin_input(at).value.item()
        1.5
    """
    return _median_of_correct(_normalised(input_distances)[0])


@measure(source=f"{SOURCE}, at the first hidden layer", direction=Direction.HIGHER_IS_BETTER, undefined=NO_MARGIN,
         invariances=SAME_FUNCTION)  # fmt: skip
def normalised_margin_hidden(first_hidden_distances: Distances) -> Estimate:
    r"""Median distance to the decision boundary in what the first weight layer gives, over the spread of that.

    .. math:: \operatorname{median}_{i:\, m_i > 0} \frac{m_i}{\|\nabla_h m_i\|} \Big/ \sqrt{\operatorname{tr} \operatorname{Cov}(h)}

    The representation h is taken before the activation and after a batch norm, as in the source. It works where inputs are
    tokens, whose first layer is an embedding. It cannot see that few representations near h belong to any input.

    Args:
        first_hidden_distances: Of at most 500 training points.

    Returns:
        The median, with its standard error over the choice of points.

    Example:
        >>> from heldout.engine.evidence.boundary import Distances
        >>> at = Distances({"0": torch.tensor([1.0, 3.0])}, {"0": torch.tensor(4.0)}, {"0": torch.tensor(1.0)})
        >>> normalised_margin_hidden(at).value.item()
        1.0
    """
    return _median_of_correct(_normalised(first_hidden_distances)[0])


@measure(source=f"{SOURCE}: margins of several layers multiplied, as sums of logarithms", direction=Direction.HIGHER_IS_BETTER,
         undefined=NO_MARGIN, invariances=SAME_FUNCTION)  # fmt: skip
def normalised_margin_all_layers(distances: Distances) -> Estimate:
    r"""Median over the training points of the geometric mean of their normalised margins at the input and all hidden layers.

    .. math:: \operatorname{median}_{i:\, m_i > 0} \exp\Bigl(\tfrac1L \sum_l \ln \hat d_{l,i}\Bigr),
        \quad \hat d_{l,i} = \frac{m_i}{\|\nabla_{h_l} m_i\| \sqrt{\operatorname{tr} \operatorname{Cov}(h_l)}}

    The source fits a linear regression to the logarithms of several quantiles at several layers, on other networks; this is
    the same information with equal weights, so that nothing has to be fitted. Layers that a skip connection passes by are left
    out: a change there is no change of all that the network knows. It cannot see which layer is the narrow one.

    Args:
        distances: Of at most 500 training points at the input (where it is numbers) and at most 8 hidden layers.

    Returns:
        The median, with its standard error over the choice of points.

    Example:
        >>> from heldout.engine.evidence.boundary import Distances
        >>> one = {"": torch.tensor(1.0), "0": torch.tensor(1.0)}
        >>> at = Distances({"": torch.tensor([2.0]), "0": torch.tensor([8.0])}, one, one)
        >>> round(normalised_margin_all_layers(at).value.item(), 9)
        4.0
    """
    layers = _normalised(distances)
    wrong = (layers <= 0).any(0)
    mean = layers.log().mean(0).exp()  # NaN where negative; those points do not count
    return _median_of_correct(torch.where(wrong, -1.0, mean))


@profile(source=f"{SOURCE}: the statistical signature")
def normalised_margin_signature(distances: Distances) -> dict[str, list[int] | list[str] | list[float]]:
    """Five numbers of the normalised margins of the correctly classified training points at every layer.

    Args:
        distances: Of at most 500 training points, distances ``[M, n]``.

    Returns:
        Columns ``member``, ``layer`` (``input``, or the module that gives or receives the representation), ``statistic``, ``value``.

    Example:
        >>> from heldout.engine.evidence.boundary import Distances
        >>> at = Distances({"": torch.tensor([[0.0, 1, 2, 3, 4, 5]])}, {"": torch.ones(1)}, {"": torch.ones(1)})
        >>> normalised_margin_signature(at)["value"]
        [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    layers = _normalised(distances)  # [L, M, n]
    ordered = torch.where(layers > 0, layers, torch.inf).sort(dim=-1).values
    table = five_numbers(ordered, (layers > 0).sum(-1)).movedim(1, 0)  # [M, L, 5]
    members, places, _ = table.shape
    names = [place if place != INPUT else "input" for place in distances.distance]
    return {
        "member": [member for member in range(members) for _ in range(places * len(NUMBERS))],
        "layer": [name for name in names for _ in NUMBERS] * members,
        "statistic": list(NUMBERS) * places * members,
        "value": table.flatten().tolist(),
    }


def _normalised(distances: Distances) -> Tensor:
    """Normalised margins, ``[L, (M,) n]``."""
    return torch.stack([d / distances.variance[place].sqrt().unsqueeze(-1) for place, d in distances.distance.items()])


def _median_of_correct(margins: Tensor) -> Estimate:
    """Median of the positive ones; its error is half the distance between the ranks half a standard deviation of the count away."""
    right = margins > 0
    count = right.sum()
    ordered = torch.where(right, margins, torch.inf).sort().values
    median = sorted_quantile(ordered, 0.5, count)
    away = 0.5 / count.clamp(min=1).sqrt()
    low, high = (sorted_quantile(ordered, (0.5 + sign * away).clamp(0.0, 1.0), count) for sign in (-1, 1))
    known = torch.isfinite(median) & ~margins.isnan().any()
    error = torch.where(known & torch.isfinite(high - low), (high - low) / 2, float("nan"))
    return estimate(torch.where(known, median, float("nan")), standard_error=error)
