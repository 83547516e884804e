"""Worst-case sharpness: the largest rise of the loss in a ball around the weights, found by projected ascent."""

from heldout.catalog import measure
from heldout.engine.evidence.m_sharpness import BatchRises, mean_rise
from heldout.records import Direction, Estimate

PAPER = "Andriushchenko et al. 2023, arXiv 2302.07011, worst-case m-sharpness, m = 128; Auto-PGD of Croce and Hein 2020"


@measure(source=f"{PAPER}; rho of Foret et al. 2021 (SAM)", direction=Direction.HIGHER_IS_WORSE)
def worst_sharpness_l2(worst_rises_l2: BatchRises) -> Estimate:
    r"""Largest rise of the loss of a batch in a Euclidean ball around the weights.

    .. math:: E_S \max_{\|\delta\|_2 \le \rho} L_S(w + \delta) - L_S(w), \quad \rho = 0.05

    Batches S of 128 training examples, eight of them at most; 20 steps of ascent, whose best place is a lower bound of the maximum.
    At a critical point it tends to rho squared over two times the largest eigenvalue of the Hessian for small rho, elsewhere to
    rho times the gradient's norm. It moves when ReLU layers are rescaled, and follows the learning rate more than the
    generalization.

    Args:
        worst_rises_l2: What the ascents found.

    Returns:
        The mean over batches with its standard error over them; withdrawn where a tenth of it was found in the last steps.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = worst_sharpness_l2(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(worst_rises_l2)


@measure(source=f"{PAPER}; rho is ours", direction=Direction.HIGHER_IS_WORSE)
def worst_sharpness_linf(worst_rises_linf: BatchRises) -> Estimate:
    r"""Largest rise of the loss of a batch when every weight may move by 0.002.

    .. math:: E_S \max_{\|\delta\|_\infty \le \rho} L_S(w + \delta) - L_S(w), \quad \rho = 0.002

    For small rho, and away from a critical point, rho times the sum of the gradient's absolute values. It moves when ReLU layers
    are rescaled; more parameters give it more directions, so that it grows with width.

    Args:
        worst_rises_linf: What the ascents found.

    Returns:
        The mean over batches with its standard error over them; withdrawn where a tenth of it was found in the last steps.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = worst_sharpness_linf(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(worst_rises_linf)


@measure(
    source=f"{PAPER}; rho of Kwon et al. 2021 (ASAM)",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=("layer-rescaling",),
)
def adaptive_worst_sharpness_l2(adaptive_worst_rises_l2: BatchRises) -> Estimate:
    r"""Largest rise of the loss of a batch in a ball of relative changes of the weights.

    .. math:: E_S \max_{\|\delta / |w|\|_2 \le \rho} L_S(w + \delta) - L_S(w), \quad \rho = 0.5

    Rescaling ReLU layers does not move it; scaling the logits does. At a critical point it tends to rho squared over two times the
    largest eigenvalue of ``diag(|w|) H diag(|w|)`` for small rho. Weights that are zero do not move.

    Args:
        adaptive_worst_rises_l2: What the ascents found.

    Returns:
        The mean over batches with its standard error over them; withdrawn where a tenth of it was found in the last steps.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = adaptive_worst_sharpness_l2(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(adaptive_worst_rises_l2)


@measure(source=f"{PAPER}; rho is ours", direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling",))
def adaptive_worst_sharpness_linf(adaptive_worst_rises_linf: BatchRises) -> Estimate:
    r"""Largest rise of the loss of a batch when every weight may change by a hundredth of itself.

    .. math:: E_S \max_{|\delta_i| \le \rho |w_i|} L_S(w + \delta) - L_S(w), \quad \rho = 0.01

    For small rho, and away from a critical point, rho times the sum of ``|w_i g_i|``. Rescaling ReLU layers does not move it;
    scaling the logits does.

    Args:
        adaptive_worst_rises_linf: What the ascents found.

    Returns:
        The mean over batches with its standard error over them; withdrawn where a tenth of it was found in the last steps.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = adaptive_worst_sharpness_linf(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(adaptive_worst_rises_linf)


@measure(
    source=f"{PAPER}; rho is ours", direction=Direction.HIGHER_IS_WORSE, invariances=("layer-rescaling", "logit-scale")
)
def normalised_worst_sharpness_linf(normalised_worst_rises_linf: BatchRises) -> Estimate:
    r"""Adaptive worst-case sharpness of the loss of logits whose scale was taken away.

    .. math:: E_S \max_{|\delta_i| \le \rho |w_i|} L_S(w + \delta) - L_S(w),
        \quad z \mapsto \frac{z - \bar z}{\|z - \bar z\|_2}, \quad \rho = 0.01

    Neither rescaled ReLU layers nor scaled logits move it, so that a confident network is not flat for being confident. The loss of
    logits of length one is far from zero, and its gradient does not vanish at interpolation.

    Args:
        normalised_worst_rises_linf: What the ascents found.

    Returns:
        The mean over batches with its standard error over them; withdrawn where a tenth of it was found in the last steps.

    Example:
        >>> import torch
        >>> rises, none = torch.tensor([1.0, 3.0], dtype=torch.float64), torch.zeros(2)
        >>> found = normalised_worst_sharpness_linf(BatchRises(rises, late=none, spread=none, whole=False))
        >>> found.value.item(), found.standard_error.item()
        (2.0, 1.0)
    """
    return mean_rise(normalised_worst_rises_linf)
