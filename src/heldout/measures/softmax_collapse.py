"""Where the loss has nothing left to say: softmax collapse, and gradients along the weights."""

import torch
from torch import Tensor

from heldout.catalog import measure
from heldout.records import Direction

NO_DIRECTION = "the gradient or the weights are all zero"


def absorbed(logits: Tensor, dtype: torch.dtype) -> Tensor:
    """Share of examples whose softmax denominator is exactly its largest term: all others are rounded away.

    Args:
        logits: ``[N, C]``.
        dtype: In which the softmax is computed.

    Returns:
        The share, float64; NaN where a logit is not finite.
    """
    z = logits.to(dtype)
    share = ((z - z.amax(-1, keepdim=True)).exp().sum(-1) == 1).double().mean()
    return torch.where(logits.isfinite().all(), share, float("nan"))


@measure(source="Prieto et al. 2025, definition 1 (softmax collapse), in float32", direction=Direction.NEITHER, range=(0.0, 1.0),
         undefined="a logit is not finite", invariances=("batch-norm-folding", "neuron-permutation", "example-order"))  # fmt: skip
def softmax_collapse(logits: Tensor) -> Tensor:
    r"""Share of training examples whose softmax is exactly one-hot in float32.

    .. math:: \sum_c e^{z_c - \max z} = 1 \text{ in float32}

    These examples have loss 0 where they are right and a gradient from their label's logit of exactly 0; it happens where the
    largest logit leads by about 16.6. It cannot see how near the other examples are.

    Args:
        logits: ``[N, C]``.

    Returns:
        The share.

    Example:
        >>> softmax_collapse(torch.tensor([[20.0, 0.0], [10.0, 0.0]])).item()
        0.5
    """
    return absorbed(logits, torch.float32)


@measure(source="Prieto et al. 2025, definition 1 (softmax collapse), in float16", direction=Direction.NEITHER, range=(0.0, 1.0),
         undefined="a logit is not finite", invariances=("batch-norm-folding", "neuron-permutation", "example-order"))  # fmt: skip
def softmax_collapse_in_half(logits: Tensor) -> Tensor:
    r"""Share of training examples whose softmax is exactly one-hot in float16.

    .. math:: \sum_c e^{z_c - \max z} = 1 \text{ in float16}

    As ``softmax-collapse``, where the largest logit leads by about 7.6: what would be lost if the loss were computed in half.

    Args:
        logits: ``[N, C]``.

    Returns:
        The share.

    Example:
        >>> softmax_collapse_in_half(torch.tensor([[20.0, 0.0], [10.0, 0.0], [5.0, 0.0], [0.0, 0.0]])).item()
        0.5
    """
    return absorbed(logits, torch.float16)


@measure(source="Prieto et al. 2025, section 4.2 (naive loss minimisation)", direction=Direction.NEITHER, range=(-1.0, 1.0),
         undefined=NO_DIRECTION, invariances=("neuron-permutation", "example-order"))  # fmt: skip
def naive_loss_minimisation(mean_gradient: dict[str, Tensor], trained_parameters: dict[str, Tensor]) -> Tensor:
    r"""Cosine between the negative gradient of the training loss and the weights.

    .. math:: \frac{-\langle \nabla L, \theta \rangle}{\|\nabla L\| \|\theta\|}

    Near 1, training only makes the same function larger: in networks without biases the weights' own direction scales the
    logits. All parameters count, biases and scales too.

    Args:
        mean_gradient: Parameter's name -> gradient of the mean training loss.
        trained_parameters: Likewise the parameters.

    Returns:
        The cosine; NaN where gradient or weights are zero.

    Example:
        >>> round(naive_loss_minimisation({"w": torch.tensor([-2.0, 0.0])}, {"w": torch.tensor([1.0, 1.0])}).item(), 6)
        0.707107
    """
    pairs = [(gradient.double(), trained_parameters[name].double()) for name, gradient in mean_gradient.items()]
    inner = torch.stack([(g * w).sum() for g, w in pairs]).sum()
    gradients, weights = (torch.stack([pair[i].square().sum() for pair in pairs]).sum().sqrt() for i in (0, 1))
    return (-inner / gradients / weights).clamp(-1, 1)
