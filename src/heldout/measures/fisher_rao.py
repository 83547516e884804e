"""The Fisher-Rao norm: how much the loss changes when all weights grow together, batch norms folded."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")


@measure(source="Liang et al. 2019, definition 2 (empirical Fisher)", direction=Direction.HIGHER_IS_WORSE,
         invariances=SAME_FUNCTION)  # fmt: skip
def fisher_rao_norm(radial_derivatives: Float[Tensor, " N"]) -> Tensor:
    r"""Squared Fisher-Rao norm, by the empirical Fisher information of the training examples.

    .. math:: \|w\|_{fr}^2 = \frac1m \sum_i \langle w, \nabla_w \ell(f_w(x_i), y_i) \rangle^2

    On a ReLU network of d layers without biases it is ``d^2`` times the mean square of
    :math:`\langle f(x_i), \partial \ell / \partial f \rangle`: the weights enter through the outputs alone, so that a rescaling of
    layers does not move it. It vanishes with the training loss: compare networks at equal loss.

    Args:
        radial_derivatives: Inner product of weights and gradient for every training example.

    Returns:
        The square of the norm.

    Example:
        >>> import torch
        >>> fisher_rao_norm(torch.tensor([1.0, -3.0])).item()
        5.0
    """
    return radial_derivatives.square().mean()


@measure(source="Jiang et al. 2020, eq. (45)", direction=Direction.HIGHER_IS_WORSE, invariances=SAME_FUNCTION)
def fisher_rao(radial_derivatives: Float[Tensor, " N"], weights: dict[str, Tensor]) -> Tensor:
    r"""Squared Fisher-Rao norm times the square of one more than the number of layers.

    .. math:: \frac{(d + 1)^2}{m} \sum_i \langle w, \nabla_w \ell(f_w(x_i), y_i) \rangle^2

    Of two networks of one depth it says what ``fisher-rao-norm`` says. The factor belongs to the form of Liang et al. that
    has the gradient in the outputs; before gradients in the weights it counts the depth twice, which shows where depth varies.

    Args:
        radial_derivatives: Inner product of weights and gradient for every training example.
        weights: Layer's name -> ``[out, in]``; their number is d.

    Returns:
        The product.

    Example:
        >>> import torch
        >>> fisher_rao(torch.tensor([1.0, -3.0]), {"a": torch.ones(1, 1)}).item()
        20.0
    """
    return (len(weights) + 1) ** 2 * fisher_rao_norm(radial_derivatives)
