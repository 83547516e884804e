"""Whether the network labels mixtures within a class as that class."""

from torch import Tensor

from heldout.catalog import measure
from heldout.engine.evidence.mixing import MixupOutcomes
from heldout.records import Direction, Estimate, estimate


@measure(
    source="Natekar & Sharma 2020, arXiv 2012.02775",
    direction=Direction.HIGHER_IS_BETTER,
    range=(0.0, 1.0),
    undefined="no class has two training examples",
    invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale"),
)
def label_wise_mixup(mixup_correct: MixupOutcomes) -> Estimate:
    r"""Accuracy on half-and-half mixtures of training examples of one class.

    .. math:: \frac1N \sum_i \mathbb 1\Bigl[\arg\max f\bigl(\tfrac12 x_i + \tfrac12 x_{\pi(i)}\bigr) = y_i\Bigr],
        \quad y_{\pi(i)} = y_i

    Every example meets one random partner; one without a partner is left out. The standard error is binomial. It cannot
    see what happens between classes, and says little where averages of inputs are no inputs.

    Args:
        mixup_correct: What the network says of mixed inputs.

    Returns:
        Accuracy and standard error; NaN where no example has a partner.

    Example:
        >>> import torch
        >>> outcomes = MixupOutcomes(torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0]), torch.tensor([1.0, 1, 1, 1, 0]))
        >>> label_wise_mixup(outcomes).value.item()
        0.75
    """
    correct, counted = mixup_correct
    n: Tensor = counted.sum()
    accuracy = (correct * counted).sum() / n
    return estimate(accuracy, standard_error=(accuracy * (1.0 - accuracy) / n).sqrt())
