"""How fast noise would be fitted from here."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(source="Definition; random labels as a probe of the capacity to memorise: Zhang et al. 2017, arXiv 1611.03530, section 2.1",
         direction=Direction.NEITHER, range=(float("-inf"), float("inf")), invariances=("neuron-permutation",),
         undefined="the gradient on random labels or the weights are zero")  # fmt: skip
def random_label_probe(noise_fitting: Float[Tensor, " D"]) -> Estimate:
    r"""First-order decrease of the loss on random labels in one step of a hundredth of the weights' length, beyond any labels'.

    .. math:: \frac{\|w\|}{100} \frac{\langle g_r, g_r - g_u \rangle}{\|g_r\|}, \quad g_r = \nabla \frac1n \sum_i \ell(f(x_i), r_i),
        \quad g_u = \nabla \frac1n \sum_i \frac1C \sum_c \ell(f(x_i), c)

    Labels r are drawn evenly on 128 training inputs, three times. A step along their gradient lowers the loss of every labelling by
    making the network less sure; the difference is what it gains on these labels alone, that is, what it memorises. 0 where the
    network cannot tell the inputs apart. It speaks of one step from here, and of steps along the gradient, not of Adam's.

    Args:
        noise_fitting: One number a draw, in units of the loss.

    Returns:
        Mean and standard error over the draws.

    Example:
        >>> import torch
        >>> random_label_probe(torch.tensor([1.0, 3.0])).standard_error.item()
        1.0
    """
    draws = noise_fitting.shape[0]
    spread = (noise_fitting - noise_fitting.mean()).square().sum() / max(draws - 1, 1)
    return estimate(noise_fitting.mean(), standard_error=(spread / draws).sqrt())
