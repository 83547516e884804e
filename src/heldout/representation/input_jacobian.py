"""How sensitive the predicted probabilities are to the input."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(source="Novak et al. 2018, arXiv 1802.08760; a baseline of the PGDL competition", direction=Direction.HIGHER_IS_WORSE,
         invariances=("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift"))  # fmt: skip
def input_jacobian_norm(input_jacobian_norms: Float[Tensor, " n"]) -> Estimate:
    r"""Mean Frobenius norm of the Jacobian of the class probabilities over the input, at training points.

    .. math:: \frac1n \sum_i \Bigl\|\frac{\partial \operatorname{softmax} f(x_i)}{\partial x}\Bigr\|_F

    Of a regression, the Jacobian of the outputs. It is exact up to 16 outputs; of more, the square is estimated from 16
    random combinations, and its root is too small by about 1 % on average. Novak et al. average over test points. It cannot see
    sensitivity where the probabilities saturate, as they do at training points in the course of training: compare at equal loss.

    Args:
        input_jacobian_norms: At most 256 norms.

    Returns:
        The mean, with its standard error over the points.

    Example:
        >>> import torch
        >>> input_jacobian_norm(torch.tensor([1.0, 3.0])).value.item()
        2.0
    """
    count = input_jacobian_norms.shape[-1]
    error = input_jacobian_norms.std() / count**0.5 if count > 1 else None
    return estimate(input_jacobian_norms.mean(), standard_error=error)
