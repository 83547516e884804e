"""How gradients of one class help examples of the same and of other classes, and how surely each parameter knows its direction."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

Classes = tuple[Tensor, Tensor, Tensor]  # inner products of unit gradients' sums, how many, inner products of means
INVARIANCES = ("neuron-permutation", "logit-shift", "example-order")


@measure(source="Fort et al. 2020, arXiv 1901.09491: cosine stiffness within classes", direction=Direction.HIGHER_IS_BETTER,
         range=(-1.0, 1.0), invariances=INVARIANCES,
         undefined="no class has two examples whose gradients are not zero")  # fmt: skip
def stiffness_within(gradient_classes: Classes) -> Tensor:
    r"""Mean cosine of the gradients of two different examples of one class: does a step on one help the other.

    .. math:: \frac1C \sum_c \mathbb{E}_{i \ne j \in c} \cos(g_i, g_j)
        = \frac1C \sum_c \frac{\|\sum_{i \in c} g_i / \|g_i\|\|^2 - n_c}{n_c (n_c - 1)}

    Over all pairs of training examples, none drawn. Examples without any gradient take no part. It falls to 0 when training ends:
    compare networks at equal loss.

    Args:
        gradient_classes: Inner products ``[C, C]`` of sums of unit gradients, numbers ``[C]``, inner products of means.

    Returns:
        The mean over classes.

    Example:
        Two equal gradients in one class, two opposite ones in the other.

        >>> stiffness_within((torch.tensor([[4.0, 0.0], [0.0, 0.0]]), torch.tensor([2.0, 2.0]), torch.zeros(2, 2))).item()
        0.0
    """
    products, counts, _ = gradient_classes
    pairs = counts * (counts - 1)
    each = torch.where(pairs > 0, (products.diagonal(dim1=-2, dim2=-1) - counts) / pairs, float("nan"))
    return each.nansum() / (pairs > 0).sum()


@measure(source="Fort et al. 2020, arXiv 1901.09491: cosine stiffness between classes", direction=Direction.HIGHER_IS_BETTER,
         range=(-1.0, 1.0), invariances=INVARIANCES,
         undefined="fewer than two classes have examples whose gradients are not zero")  # fmt: skip
def stiffness_between(gradient_classes: Classes) -> Tensor:
    r"""Mean cosine of the gradients of two examples of different classes.

    .. math:: \frac1{C (C - 1)} \sum_{c \ne c'} \mathbb{E}_{i \in c, j \in c'} \cos(g_i, g_j)

    Over all pairs of training examples. Classes compete for one output, so that it is often negative.

    Args:
        gradient_classes: As in ``stiffness-within``.

    Returns:
        The mean over ordered pairs of classes.

    Example:
        >>> stiffness_between((torch.tensor([[4.0, -2.0], [-2.0, 4.0]]), torch.tensor([2.0, 2.0]), torch.zeros(2, 2))).item()
        -0.5
    """
    products, counts, _ = gradient_classes
    pairs = counts.unsqueeze(-1) * counts.unsqueeze(-2)
    apart = (pairs > 0) & ~torch.eye(len(counts), dtype=torch.bool, device=counts.device)
    return torch.where(apart, products / pairs, 0.0).sum() / apart.sum()


@measure(source="Sankararaman et al. 2020, arXiv 1904.06963, definition 1, the losses f_i being those of the classes",
         direction=Direction.HIGHER_IS_WORSE, invariances=INVARIANCES,
         undefined="the training data have fewer than two classes")  # fmt: skip
def gradient_confusion(gradient_classes: Classes) -> Tensor:
    r"""The smallest eta such that no two classes' mean gradients oppose each other by more.

    .. math:: \eta = \max\left(0, -\min_{c \ne c'} \langle \bar g_c, \bar g_{c'} \rangle\right)

    0 if a step on any class helps, or at least does not harm, all others. It scales with the squared gradient: compare networks
    at equal loss. Between single examples it would take all pairs, and would say more of the worst example than of the network.

    Args:
        gradient_classes: As in ``stiffness-within``.

    Returns:
        The bound eta.

    Example:
        >>> gradient_confusion((torch.zeros(2, 2), torch.ones(2), torch.tensor([[1.0, -0.25], [-0.25, 1.0]]))).item()
        0.25
    """
    means = gradient_classes[2]
    present = ~means.diagonal(dim1=-2, dim2=-1).isnan()
    apart = (
        present.unsqueeze(-1) & present.unsqueeze(-2) & ~torch.eye(len(means), dtype=torch.bool, device=means.device)
    )
    worst = torch.where(apart, means, float("inf")).amin((-2, -1))
    return torch.where(apart.any(), (-worst).clamp(min=0), float("nan"))


@measure(source="Liu et al. 2020, arXiv 2001.07384, eq. (1)", direction=Direction.HIGHER_IS_BETTER,
         invariances=INVARIANCES, undefined="no parameter has a gradient that varies between examples")  # fmt: skip
def gradient_signal_to_noise(mean_gradient: dict[str, Tensor], gradient_second_moments: dict[str, Tensor]) -> Tensor:
    r"""Mean over parameters of the squared mean of the gradient over its variance between training examples.

    .. math:: \frac1P \sum_j \frac{\bar g_j^2}{\frac1N \sum_i (g_{ij} - \bar g_j)^2}

    Of the order of 1/N or below at a minimum, where the mean gradient is noise. Parameters whose gradient is the same for all
    examples, such as those of dead units, are left out. Few parameters of little noise can carry the mean.

    Args:
        mean_gradient: Parameter's name -> mean gradient.
        gradient_second_moments: Parameter's name -> mean squared gradient.

    Returns:
        The mean.

    Example:
        >>> gradient_signal_to_noise({"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([2.0, 3.0])}).item()
        0.5
    """
    signal = torch.cat([gradient.double().flatten().square() for gradient in mean_gradient.values()])
    second = torch.cat([gradient_second_moments[name].double().flatten() for name in mean_gradient])
    noise = second - signal
    faulty = (signal.isnan() | second.isnan()).any()
    # below either, it is the rounding of gradients in float32 that varies, as that of the bias of an attention's keys does
    varies = (noise > 1e-9 * second) & (second > 1e-12 * second.amax())
    ratio = torch.where(varies, signal / torch.where(varies, noise, 1.0), 0.0)
    return torch.where(faulty, float("nan"), ratio.sum() / varies.sum())
