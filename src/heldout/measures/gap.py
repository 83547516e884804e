"""The generalization gap itself, in accuracy and in loss, with what the test set's finite size leaves open."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.catalog import measure
from heldout.engine.numerics import (
    betting_lower,
    betting_upper,
    binomial_inverse_lower,
    binomial_inverse_upper,
    shuffled,
)
from heldout.records import Direction, Estimate, estimate

LOG_SIDE = math.log(0.025)  # 95 % two-sided: each side spends half of 5 %
NORMAL_95 = 1.959963984540054  # 97.5 % quantile of the standard normal
SAME_FUNCTION = ("layer-rescaling", "batch-norm-folding", "neuron-permutation", "logit-shift", "example-order")
LARGEST = float("inf")


@measure(source="Definition: 1 - mean 0-1 loss on the training data", direction=Direction.HIGHER_IS_BETTER,
         range=(0.0, 1.0), invariances=(*SAME_FUNCTION, "logit-scale"))  # fmt: skip
def train_accuracy(errors: Float[Tensor, " N"]) -> Tensor:
    r"""Share of the training examples that the network labels as given.

    .. math:: 1 - \frac1N \sum_i \mathbb 1[\hat y_i \ne y_i]

    A plain count over known data, so it has no interval. It cannot see whether the labels were learnt or memorized.

    Args:
        errors: 0-1 training errors.

    Returns:
        The accuracy.

    Example:
        >>> train_accuracy(torch.tensor([0.0, 0.0, 1.0, 0.0])).item()
        0.75
    """
    return 1.0 - errors.double().mean()


@measure(source="Clopper & Pearson 1934 for the interval", direction=Direction.HIGHER_IS_BETTER, range=(0.0, 1.0),
         invariances=(*SAME_FUNCTION, "logit-scale"), stacked="the exact binomial inversion is SciPy's")  # fmt: skip
def test_accuracy(test_errors: Float[Tensor, "M N"]) -> Estimate:
    r"""Share of the test examples that the network labels as given, with the exact two-sided 95 % interval.

    .. math:: 1 - k/n, \quad k \sim \mathrm{Bin}(n, R)

    The interval is Clopper and Pearson's, 2.5 % on each side. It cannot see dependence between test examples, a test set
    that took part in choosing the network, or a change of distribution.

    Args:
        test_errors: 0-1 test errors.

    Returns:
        Accuracy, standard error ``sqrt(p (1 - p) / n)``, and interval.

    Example:
        >>> print(f"{test_accuracy(torch.zeros(1, 100)).low.item():.4f}")  # 0.025 ** (1 / 100)
        0.9638
    """
    low, high = _accuracy_interval(test_errors)
    accuracy = 1.0 - test_errors.double().mean(-1)
    return estimate(accuracy, standard_error=_binomial_error(accuracy, test_errors.shape[-1]), low=low, high=high)


@measure(source="Definition: train accuracy - test accuracy; Clopper & Pearson 1934 for the interval",
         direction=Direction.HIGHER_IS_WORSE, range=(-1.0, 1.0), invariances=(*SAME_FUNCTION, "logit-scale"),
         stacked="the exact binomial inversion is SciPy's")  # fmt: skip
def accuracy_gap(errors: Float[Tensor, "M N"], test_errors: Float[Tensor, "M _"]) -> Estimate:
    r"""Train accuracy minus test accuracy, with the exact two-sided 95 % interval.

    .. math:: \Bigl(1 - \frac1N \sum_i e_i\Bigr) - \Bigl(1 - \frac1n \sum_j e'_j\Bigr)

    The training accuracy is a known number; all uncertainty is that of the test accuracy (Clopper and Pearson). It cannot
    see a gap in confidence where the labels stay right: ``loss-gap`` does.

    Args:
        errors: 0-1 training errors.
        test_errors: 0-1 test errors.

    Returns:
        Gap, standard error and interval.

    Example:
        >>> accuracy_gap(torch.zeros(1, 4), torch.tensor([[0.0, 1.0]])).value.item()
        0.5
    """
    low, high = _accuracy_interval(test_errors)
    train, test = 1.0 - errors.double().mean(-1), 1.0 - test_errors.double().mean(-1)
    known = train.cpu()
    return estimate(
        train - test,
        standard_error=_binomial_error(test, test_errors.shape[-1]),
        low=known - high,
        high=known - low,
    )


@measure(source="Jiang et al. 2020, eq. (21), for cross-entropy", direction=Direction.HIGHER_IS_WORSE,
         range=(-LARGEST, LARGEST), invariances=SAME_FUNCTION)  # fmt: skip
def train_loss(losses: Float[Tensor, " N"]) -> Tensor:
    r"""Mean training loss at the end, in units of the loss.

    .. math:: \hat L = \frac1N \sum_i \ell(f(x_i), y_i)

    In evaluation mode and without regularisers. It cannot see where the loss sits: one lost example or a little everywhere.

    Args:
        losses: Training losses.

    Returns:
        The mean.

    Example:
        >>> train_loss(torch.tensor([1.0, 3.0])).item()
        2.0
    """
    return losses.double().mean()


@measure(source="Definition: mean loss on the test data", direction=Direction.HIGHER_IS_WORSE,
         range=(-LARGEST, LARGEST), invariances=SAME_FUNCTION)  # fmt: skip
def test_loss(test_losses: Float[Tensor, " N"]) -> Estimate:
    r"""Mean test loss, in units of the loss, with a 95 % interval by the normal approximation.

    .. math:: \frac1n \sum_j \ell_j \pm 1.96\, s / \sqrt n

    The interval is approximate: a loss without a bound has no exact one, and rare large losses may be missing from the
    sample. ``bounded-loss-gap`` has an interval that holds.

    Args:
        test_losses: Test losses.

    Returns:
        Mean, standard error and interval.

    Example:
        >>> test_loss(torch.tensor([1.0, 3.0])).standard_error.item()
        1.0
    """
    return _with_normal_interval(test_losses.double().mean(), test_losses)


@measure(source="Definition: test loss - train loss", direction=Direction.HIGHER_IS_WORSE,
         range=(-LARGEST, LARGEST), invariances=SAME_FUNCTION)  # fmt: skip
def loss_gap(losses: Float[Tensor, " N"], test_losses: Float[Tensor, "_"]) -> Estimate:
    r"""Test loss minus train loss, with a 95 % interval by the normal approximation.

    .. math:: \frac1n \sum_j \ell'_j - \frac1N \sum_i \ell_i

    The training loss is a known number; the standard error is that of the mean test loss, and the interval is approximate
    (``bounded-loss-gap`` has one that holds). A few confident errors can make all of it.

    Args:
        losses: Training losses.
        test_losses: Test losses.

    Returns:
        Gap, standard error and interval.

    Example:
        >>> loss_gap(torch.tensor([0.5, 0.5]), torch.tensor([1.0, 3.0])).value.item()
        1.5
    """
    return _with_normal_interval(test_losses.double().mean() - losses.double().mean(), test_losses)


@measure(source="Pérez-Ortiz et al. 2021, section 6 (clamped loss); Waudby-Smith & Ramdas 2024, Theorem 3 (interval)",
         direction=Direction.HIGHER_IS_WORSE, range=(-1.0, 1.0), invariances=SAME_FUNCTION,
         stacked="the betting inversion is NumPy's")  # fmt: skip
def bounded_loss_gap(
    logits: Float[Tensor, "M N C"],
    labels: Int[Tensor, "M N"],
    test_logits: Float[Tensor, "M _ C"],
    test_labels: Int[Tensor, "M _"],
    *,
    p_min: float = 1e-5,
    order: int = 0,
) -> Estimate:
    r"""Gap in cross-entropy clamped to [0, 1], with a two-sided 95 % betting interval that holds at every sample size.

    .. math:: \ell_i = \min\Bigl(1, \frac{-\ln p_{y_i}(x_i)}{\ln(1/p_{\min})}\Bigr), \quad
        \frac1n \sum_j \ell'_j - \frac1N \sum_i \ell_i

    It cannot see how far below ``p_min`` a probability lies, nor dependence between the test examples.

    Args:
        logits: Class scores on the training data.
        labels: Training labels.
        test_logits: Class scores on the test data.
        test_labels: Test labels.
        p_min: Smallest probability that is told apart from 0.
        order: Seed of the order in which test losses are bet on; choose it before looking.

    Returns:
        Gap, standard error of the mean test loss, and interval.

    Example:
        Training probability 1/2 against test probability below ``p_min = 1/4``: losses 1/2 and 1.

        >>> sure = torch.tensor([[[9.0, 0.0]]])
        >>> zero, one = torch.tensor([[0]]), torch.tensor([[1]])
        >>> round(bounded_loss_gap(torch.zeros(1, 1, 2), zero, sure, one, p_min=0.25).value.item(), 12)
        0.5
    """
    train = _bounded(logits, labels, p_min).mean(-1)
    losses = _bounded(test_logits, test_labels, p_min)
    ordered = losses.cpu().numpy()[:, shuffled(losses.shape[-1], order)]
    low, high = (torch.from_numpy(side(ordered, LOG_SIDE)) for side in (betting_lower, betting_upper))
    return estimate(
        losses.mean(-1) - train,
        standard_error=_mean_error(losses),
        low=low - train.cpu(),
        high=high - train.cpu(),
    )


def _accuracy_interval(errors: Tensor) -> tuple[Tensor, Tensor]:
    wrong, n = errors.double().sum(-1).cpu().numpy(), errors.shape[-1]
    low, high = 1.0 - binomial_inverse_upper(wrong, n, LOG_SIDE), 1.0 - binomial_inverse_lower(wrong, n, LOG_SIDE)
    return torch.from_numpy(low), torch.from_numpy(high)


def _binomial_error(accuracy: Tensor, n: int) -> Tensor:
    return (accuracy * (1.0 - accuracy) / n).sqrt()


def _mean_error(losses: Tensor) -> Tensor:
    """Standard error of the mean; NaN, that is none, for a single example."""
    n = losses.shape[-1]
    spread = (losses - losses.mean(-1, keepdim=True)).square().sum(-1)
    return (spread / (n - 1) / n).sqrt()


def _with_normal_interval(value: Tensor, losses: Tensor) -> Estimate:
    error = _mean_error(losses.double())
    return estimate(value, standard_error=error, low=value - NORMAL_95 * error, high=value + NORMAL_95 * error)


def _bounded(logits: Tensor, labels: Tensor, p_min: float) -> Tensor:
    nats = -logits.double().log_softmax(-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    largest = -math.log(p_min)
    return nats.clamp(0.0, largest) / largest
