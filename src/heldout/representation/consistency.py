"""Whether predictions stay when inputs change in ways that should not matter."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(
    source="Definition; in the manner of Aithal et al. 2021, arXiv 2104.06022, without augmentations to choose",
    direction=Direction.HIGHER_IS_BETTER,
    range=(0.0, 1.0),
    invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "logit-scale"),
)
def input_noise_consistency(noisy_predictions_kept: Float[Tensor, " N"]) -> Estimate:
    r"""Share of the training examples that keep their prediction under Gaussian noise on the input.

    .. math:: \frac1N \sum_i \mathbb 1[\hat y(x_i + 0.1\, s \odot z_i) = \hat y(x_i)], \quad z_i \sim N(0, I)

    ``s`` is the standard deviation of every input feature over the training data. It needs no augmentation to be chosen
    and so works on any numbers; it cannot see consistency under the changes that matter to people, such as a shift of
    the picture, and a network that always says the same is perfectly consistent.

    Args:
        noisy_predictions_kept: 1 where the prediction stayed.

    Returns:
        Share and binomial standard error.

    Example:
        >>> import torch
        >>> input_noise_consistency(torch.tensor([1.0, 1.0, 0.0, 1.0])).value.item()
        0.75
    """
    share = noisy_predictions_kept.double().mean()
    return estimate(share, standard_error=(share * (1.0 - share) / noisy_predictions_kept.shape[-1]).sqrt())
