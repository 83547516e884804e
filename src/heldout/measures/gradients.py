"""How the examples' gradients agree: noise, coherence, and what one step gives to new data."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from heldout.catalog import measure, profile
from heldout.engine.evidence.gradients import GradientMoments
from heldout.records import Direction

LEVELS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # denser where the large ones are


@measure(
    source="Jiang et al. 2020, eq. (66)",
    direction=Direction.HIGHER_IS_WORSE,
    invariances=("neuron-permutation", "logit-shift", "example-order"),
)
def gradient_noise(gradient_norms: Float[Tensor, " N"], mean_gradient: dict[str, Tensor]) -> Tensor:
    r"""Trace of the covariance of the loss's gradient over the training examples.

    .. math:: \frac1N \sum_i \|g_i - \bar g\|^2 = \frac1N \sum_i \|g_i\|^2 - \|\bar g\|^2

    The gradients are taken with respect to the parameters as they were trained (batch norms not folded), in evaluation mode.
    It cannot see the direction of the noise, and it goes to zero with the training loss: compare networks at equal loss.

    Args:
        gradient_norms: Norm of every example's gradient.
        mean_gradient: Gradient of the mean loss.

    Returns:
        The trace.

    Example:
        Two opposite gradients of length 2 have mean 0 and trace 4.

        >>> import torch
        >>> gradient_noise(torch.tensor([2.0, 2.0]), {"w": torch.zeros(3)}).item()
        4.0
    """
    return gradient_norms.square().mean() - squared_norm(mean_gradient)


@measure(
    source="Chatterjee & Zielinski 2020, arXiv 2008.01217",
    direction=Direction.HIGHER_IS_BETTER,
    invariances=("neuron-permutation", "logit-shift", "example-order"),
    undefined="every gradient is zero",
)
def m_coherence(gradient_norms: Float[Tensor, " N"], mean_gradient: dict[str, Tensor]) -> Tensor:
    r"""The number of training examples that a step along one example's gradient helps.

    .. math:: N \, \frac{\|\bar g\|^2}{\frac1N \sum_i \|g_i\|^2}

    1 for orthogonal gradients of equal length, N for identical ones, 0 where the mean gradient vanishes. It drops near
    convergence: compare at equal training loss, not at equal epoch. Its inverse is the gradient diversity of Yin et al. 2018,
    ``sum |g_i|^2 / |sum g_i|^2``, which is therefore not shown again.

    Args:
        gradient_norms: Norm of every example's gradient.
        mean_gradient: Gradient of the mean loss.

    Returns:
        Between 0 and N.

    Example:
        Two orthogonal gradients of length 1 have a mean of squared length 1/2.

        >>> import torch
        >>> m_coherence(torch.tensor([1.0, 1.0]), {"w": torch.tensor([0.5, 0.5])}).item()
        1.0
    """
    return gradient_norms.shape[0] * squared_norm(mean_gradient) / gradient_norms.square().mean()


@measure(
    source="Liu et al. 2020, arXiv 2001.07384, one-step generalization ratio",
    direction=Direction.HIGHER_IS_BETTER,
    range=(float("-inf"), 1.0),
    invariances=("neuron-permutation", "logit-shift", "example-order"),
    undefined="the mean gradient is zero, or there is one example",
)
def one_step_generalization_ratio(gradient_norms: Float[Tensor, " N"], mean_gradient: dict[str, Tensor]) -> Tensor:
    r"""How much of what one small gradient step takes off the training loss it takes off the loss of new data.

    .. math:: R = 1 - \frac{\sum_j s_j^2 / N}{\|\bar g\|^2}, \qquad s_j^2 = \frac1{N - 1} \sum_i (g_{ij} - \bar g_j)^2

    The unbiased estimate of the squared gradient of the population loss, over that of the training loss. 1 where all examples
    agree; 0 where the step helps new data by nothing; negative, an estimate below zero, where the mean gradient is smaller
    than chance would make it. It speaks of one step from here, not of the steps that led here. With a coherence of m it is
    ``(1 - 1/m) N / (N - 1)``: in a population on one training set it ranks networks as ``m-coherence`` does.

    Args:
        gradient_norms: Norm of every example's gradient.
        mean_gradient: Gradient of the mean loss.

    Returns:
        At most 1.

    Example:
        Two orthogonal gradients of length 1: the step on both helps nobody else.

        >>> import torch
        >>> one_step_generalization_ratio(torch.tensor([1.0, 1.0]), {"w": torch.tensor([0.5, 0.5])}).item()
        0.0
    """
    examples, signal = gradient_norms.shape[0], squared_norm(mean_gradient)
    noise = (gradient_norms.double().square().mean() - signal) / max(1, examples - 1)
    ratio = torch.where(signal > 0, 1 - noise / signal, float("nan"))
    return ratio if examples > 1 else torch.full_like(ratio, float("nan"))


@profile(source="Chatterjee & Zielinski 2020, arXiv 2008.01217, applied to the gradients of one layer's parameters")
def layer_coherence(gradient_moments: GradientMoments) -> dict[str, list[Any]]:
    """m-coherence of the gradients of every layer's parameters, and the layer's share of the squared gradient.

    Args:
        gradient_moments: Norms ``[M, N]``, mean gradients, and each layer's mean squared norms ``[M]``.

    Returns:
        Columns member, layer, coherence (NaN where a layer has no gradient), share.

    Example:
        >>> import torch
        >>> moments = GradientMoments(torch.ones(1, 4), {"a.weight": torch.tensor([[0.5]])}, {"a": torch.tensor([1.0])})
        >>> layer_coherence(moments)["coherence"]
        [1.0]
    """
    members, examples = gradient_moments.norms.shape
    whole = torch.stack(list(gradient_moments.layers.values())).sum(0)
    columns: dict[str, list[Any]] = {
        "member": list(range(members)) * len(gradient_moments.layers),
        "layer": [layer for layer in gradient_moments.layers for _ in range(members)],
    }
    coherence, share = [], []
    for layer, square in gradient_moments.layers.items():
        own = [g for name, g in gradient_moments.mean.items() if name.rpartition(".")[0] == layer]
        mean = torch.stack([gradient.double().flatten(1).square().sum(1) for gradient in own]).sum(0)
        coherence += (examples * mean / square).tolist()
        share += (square / whole).tolist()
    return {**columns, "coherence": coherence, "share": share}


@profile(
    source="quantiles of the examples' gradient norms beside the norm of their mean, whose ratio m-coherence squares"
)
def gradient_distribution(gradient_norms: Tensor, mean_gradient: dict[str, Tensor]) -> dict[str, list[float]]:
    """Quantiles of the examples' gradient norms, and the norm of the mean gradient.

    Args:
        gradient_norms: ``[M, N]``.
        mean_gradient: Parameter's name -> ``[M, ...]``.

    Returns:
        Columns member, quantile, norm, mean_norm.

    Example:
        >>> import torch
        >>> table = gradient_distribution(torch.tensor([[3.0, 1.0]]), {"w": torch.tensor([[0.5]])})
        >>> table["norm"][0], table["norm"][-1], table["mean_norm"][0]
        (1.0, 3.0, 0.5)
    """
    ordered = gradient_norms.sort(dim=-1).values
    places = [round(level * (ordered.shape[1] - 1)) for level in LEVELS]
    means = torch.stack([g.double().flatten(1).square().sum(1) for g in mean_gradient.values()]).sum(0).sqrt()
    members = len(ordered)
    return {
        "member": [member for member in range(members) for _ in LEVELS],
        "quantile": list(LEVELS) * members,
        "norm": ordered[:, places].flatten().tolist(),
        "mean_norm": means.repeat_interleave(len(LEVELS)).tolist(),
    }


def squared_norm(tensors: dict[str, Tensor]) -> Tensor:
    """Sum of squares over all entries.

    Args:
        tensors: Name -> tensor.

    Returns:
        One number, float64.
    """
    total = sum(tensor.double().square().sum() for tensor in tensors.values())
    assert isinstance(total, Tensor)
    return total
