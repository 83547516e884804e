"""How many linear pieces the network is cut into between training points."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(source="Novak et al. 2018, section 3.2 (transitions), on straight lines; Raghu et al. 2017", direction=Direction.NEITHER,
         range=(1.0, float("inf")), invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift",
         "logit-scale"))  # fmt: skip
def linear_pieces_between_examples(linear_pieces: Float[Tensor, " S"]) -> Estimate:
    r"""Mean number of linear pieces of a ReLU network along the straight line between two training examples.

    .. math:: 1 + \frac1S \sum_s \#\{t \in (0, 1) : \text{a unit changes its sign at } x_s + t (x'_s - x_s)\}

    Counted exactly, on 16 random pairs. A unit whose sign no output depends on counts too: these are regions of equal signs,
    of which the network's linear pieces are unions. It cannot see regions off the lines, and grows with the distance of the
    examples.

    Args:
        linear_pieces: Counts on the segments.

    Returns:
        The mean with its standard error over segments.

    Example:
        >>> import torch
        >>> linear_pieces_between_examples(torch.tensor([3.0, 5.0])).value.item()
        4.0
    """
    count = len(linear_pieces)
    spread = linear_pieces.std() / count**0.5 if count > 1 else None
    return estimate(linear_pieces.mean(), standard_error=spread)
