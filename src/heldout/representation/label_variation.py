"""How often the nearest neighbour of an example in the penultimate features has another label."""

import torch

from heldout.catalog import measure
from heldout.engine.evidence.penultimate import LabelledFeatures
from heldout.records import Direction, Estimate, estimate

SOURCE = "Lassance et al. 2020, arXiv 2011.12737 (third place of PGDL)"
SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale")
ALONE = "there is one example only, which has no neighbour"


@measure(source=f"{SOURCE}, without mixing", direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0), undefined=ALONE,
         invariances=SAME_FUNCTION)  # fmt: skip
def label_variation(penultimate_features: LabelledFeatures) -> Estimate:
    r"""Variation of the labels on the graph that joins every training example to its nearest neighbour.

    .. math:: \tfrac1n \operatorname{tr}(Y^\top L Y) = \frac1{2n} \sum_i \|y_i - y_{\nu(i)}\|^2

    Y holds the labels one-hot, L is the Laplacian of the graph (each edge weighs 1/2 in either direction), and ν(i) has the
    penultimate features of largest cosine with those of i. It is the share of examples whose neighbour is of another class. It cannot
    see how far the neighbour is, nor a boundary that runs between neighbours, as it does in networks that memorize.

    Args:
        penultimate_features: Of at most 500 training examples, with their labels.

    Returns:
        The variation, with its standard error over the examples.

    Example:
        Two pairs of neighbours, of which one has different labels.

        >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
        >>> y = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> label_variation(LabelledFeatures(x, y)).value.item()
        0.5
    """
    return _variation(penultimate_features)


@measure(source=SOURCE, direction=Direction.HIGHER_IS_WORSE, range=(0.0, 1.0), undefined=ALONE,
         invariances=SAME_FUNCTION)  # fmt: skip
def label_variation_mixup(mixed_penultimate_features: LabelledFeatures) -> Estimate:
    r"""Variation of the labels of mixed inputs on the graph that joins each to its nearest neighbour.

    .. math:: \tfrac1n \operatorname{tr}(Y^\top L Y) = \frac1{2n} \sum_i \|y_i - y_{\nu(i)}\|^2, \quad
        y = \lambda y_a + (1 - \lambda) y_b, \; \lambda \sim \mathrm{Beta}(2, 2)

    The score of the team BrAIn. Their code took as many examples of every class, and left the graph directed, which replaces the
    norm of the neighbour's label by that of the example's own; the form here is that of a Laplacian and cannot be negative. The
    team reports that one graph of 500 points varies much from draw to draw: mind the standard error. It cannot see
    representations of a network whose task is not to interpolate.

    Args:
        mixed_penultimate_features: Of at most 500 mixtures, with their mixed labels.

    Returns:
        The variation, with its standard error over the mixtures.

    Example:
        >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.1]])
        >>> label_variation_mixup(LabelledFeatures(x, torch.tensor([[1.0, 0.0], [0.5, 0.5]]))).value.item()
        0.25
    """
    return _variation(mixed_penultimate_features)


def _variation(points: LabelledFeatures) -> Estimate:
    features, labels = points
    if len(features) < 2:
        return estimate(torch.full_like(labels[0, 0], float("nan")))
    direction = torch.nn.functional.normalize(features.double(), dim=-1)
    cosine = direction @ direction.T
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    neighbour = cosine.masked_fill(itself, -torch.inf).argmax(-1)
    apart = (labels - labels.gather(0, neighbour.unsqueeze(-1).expand_as(labels))).square().sum(-1) / 2
    apart = torch.where(features.isnan().any(), float("nan"), apart)
    return estimate(apart.mean(), standard_error=apart.std() / len(features) ** 0.5)
