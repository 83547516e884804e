"""How many training examples lie near a decision boundary, and how fast the loss changes around them."""

from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction, Estimate, estimate


@measure(
    source="Arpit et al. 2017, section 5.1 (critical sample ratio, LASS search)",
    direction=Direction.HIGHER_IS_WORSE,
    range=(0.0, 1.0),
    invariances=("logit-scale",),
)
def critical_sample_ratio(critical_samples: Float[Tensor, " N"]) -> Estimate:
    r"""Share of training examples around which another class is predicted within a small box.

    .. math:: \frac{1}{n} \#\{ i : \exists\, \hat{x} \in B_\infty(x_i, r), \; \arg\max f(\hat x) \neq \arg\max f(x_i) \}

    r is a twentieth of the inputs' range. The search is a lower bound: what it does not find may still be there. At most 256
    examples are looked at, which the standard error counts; compare networks on one set of inputs only.

    Args:
        critical_samples: 1 where another class was found.

    Returns:
        The share with its standard error.

    Example:
        >>> import torch
        >>> critical_sample_ratio(torch.tensor([1.0, 0.0, 0.0, 1.0])).value.item()
        0.5
    """
    share = critical_samples.mean()
    return estimate(share, standard_error=(share * (1 - share) / len(critical_samples)).sqrt())


@measure(source="Arpit et al. 2017, section 4.2 (loss sensitivity)", direction=Direction.HIGHER_IS_WORSE)
def loss_sensitivity(input_gradients: Float[Tensor, " N"]) -> Estimate:
    r"""Mean over training examples of the L1 norm of the loss's gradient in the input.

    .. math:: \frac{1}{n} \sum_i \| \partial \ell(f(x_i), y_i) / \partial x_i \|_1

    The paper averages it over training; this is its value now. It vanishes as the loss does: compare networks at equal training
    loss.

    Args:
        input_gradients: L1 norms.

    Returns:
        The mean with its standard error.

    Example:
        >>> import torch
        >>> loss_sensitivity(torch.tensor([1.0, 3.0])).value.item()
        2.0
    """
    mean, n = input_gradients.mean(), len(input_gradients)
    spread = (input_gradients - mean).square().sum()
    return estimate(mean, standard_error=(spread / (n - 1) / n).sqrt())  # NaN, that is none, for a single example


@measure(
    source="Arpit et al. 2017, figure 4 (Gini coefficient of the loss sensitivity)",
    direction=Direction.NEITHER,
    range=(0.0, 1.0),
    undefined="every gradient is zero",
)
def loss_sensitivity_gini(input_gradients: Float[Tensor, " N"]) -> Tensor:
    r"""How unequally training examples share the loss's sensitivity: 0 if all alike, near 1 if few have all of it.

    .. math:: \frac{\sum_i (2 i - n - 1)\, g_{(i)}}{n \sum_i g_{(i)}}

    High on real data, whose examples are not equally needed; low on noise, whose every example must be remembered.

    Args:
        input_gradients: L1 norms g.

    Returns:
        The coefficient.

    Example:
        >>> import torch
        >>> loss_sensitivity_gini(torch.tensor([1.0, 1.0])).item(), loss_sensitivity_gini(torch.tensor([0.0, 1.0])).item()
        (0.0, 0.5)
    """
    import torch

    ordered = input_gradients.sort().values
    n = len(ordered)
    ranks = 2 * torch.arange(1, n + 1, device=ordered.device, dtype=ordered.dtype) - n - 1
    return (ranks * ordered).sum() / (n * ordered.sum())
