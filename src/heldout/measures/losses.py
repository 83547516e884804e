"""What the training outputs say beyond the training loss itself (Jiang et al.'s (21) is ``train-loss``)."""

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction


@measure(
    source="Jiang et al. 2020, eq. (23)",
    direction=Direction.HIGHER_IS_BETTER,
    range=(float("-inf"), 0.0),
    unit_of_value="nats",
    invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order"),
)
def neg_entropy(logits: Float[Tensor, "N C"]) -> Tensor:
    r"""Negative entropy of the predicted class probabilities, averaged over the training data.

    .. math:: \frac1N \sum_i \sum_k p_{ik} \ln p_{ik}

    0 where every prediction is certain, ``-ln C`` where all are uniform. It cannot see whether a prediction is right; at
    equal training loss, more certain predictions are the better sign.

    Args:
        logits: Class scores.

    Returns:
        The mean, in nats.

    Example:
        >>> round(neg_entropy(torch.zeros(3, 4)).item(), 6)  # -ln 4
        -1.386294
    """
    log_p = logits.double().log_softmax(-1)
    # p ln p -> 0 as p -> 0, where log_p may have reached minus infinity.
    terms = torch.where(log_p.isneginf(), 0.0, log_p.exp() * log_p)
    return terms.sum(-1).mean()
