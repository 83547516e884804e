"""Average-case sharpness on batches: the mean rise of the loss under noise in the weights."""

from heldout.catalog import measure
from heldout.engine.evidence.m_sharpness import BatchRises, mean_rise
from heldout.records import Direction, Estimate

PAPER = "Andriushchenko et al. 2023, arXiv 2302.07011, average-case sharpness on batches of 128"
REALS = (float("-inf"), float("inf"))


@measure(source=f"{PAPER}; rho is ours", range=REALS, direction=Direction.HIGHER_IS_WORSE)
def average_sharpness(average_rises: BatchRises) -> Estimate:
    r"""Mean rise of the loss under Gaussian noise of equal size on every weight.

    .. math:: E_S \, E_{\delta \sim N(0, \rho^2 I)} L_S(w + \delta) - L_S(w), \quad \rho = 0.01

    Twenty draws, in opposite pairs, for every batch. Tends to rho squared over two times ``hessian-trace`` for small rho. It moves
    when ReLU layers are rescaled and goes to zero with the cross-entropy; it does not depend on the size of the batches. Noise
    relative to each weight is ``expected-sharpness``.

    Args:
        average_rises: What the noise did.

    Returns:
        The mean over batches with its standard error: over batches, or over draws where one batch is the whole training set.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = average_sharpness(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(average_rises)


@measure(
    source=f"{PAPER}; rho is ours",
    range=REALS,
    direction=Direction.HIGHER_IS_WORSE,
    invariances=("layer-rescaling", "logit-scale"),
)
def normalised_average_sharpness(normalised_average_rises_linf: BatchRises) -> Estimate:
    r"""Mean rise of the loss of normalised logits when every weight changes by up to a tenth of itself.

    .. math:: E_S \, E_{\delta_i \sim U(-\rho |w_i|, \rho |w_i|)} L_S(w + \delta) - L_S(w),
        \quad z \mapsto \frac{z - \bar z}{\|z - \bar z\|_2}, \quad \rho = 0.1

    Neither rescaled ReLU layers nor scaled logits move it. Tends to rho squared over six times the adaptive trace of the normalised
    loss. It cannot see rare steep directions: see ``normalised-worst-sharpness-linf``.

    Args:
        normalised_average_rises_linf: What the noise did.

    Returns:
        The mean over batches with its standard error: over batches, or over draws where one batch is the whole training set.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = normalised_average_sharpness(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(normalised_average_rises_linf)
