"""Losses, one value an example, and the task each belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from heldout.records import Refusal


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss with its task.

    Attributes:
        name: As the user said it.
        task: ``"classification"`` or ``"regression"``.
        per_example: Outputs ``[N, ...]`` and labels ``[N, ...]`` of one network -> losses ``[N]``.
    """

    name: str
    task: str
    per_example: Callable[[Tensor, Tensor], Tensor]


def cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """Negative log-probability of the label, in nats: ``logsumexp(z) - z_y``.

    Args:
        outputs: Logits ``[N, C]``.
        labels: Classes ``[N]``.

    Returns:
        ``[N]``.

    Example:
        >>> import torch
        >>> cross_entropy(torch.zeros(1, 2), torch.tensor([1])).item() == torch.log(torch.tensor(2.0)).item()
        True
    """
    return F.cross_entropy(outputs, labels, reduction="none")


def binary_cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """Negative log-probability of a binary label from one logit an example, in nats.

    Args:
        outputs: ``[N]`` or ``[N, 1]``.
        labels: 0 or 1, ``[N]``.

    Returns:
        ``[N]``.
    """
    logits = outputs.reshape(labels.shape)
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="none")


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """Squared error, averaged over the coordinates of an example's target.

    Args:
        outputs: ``[N]`` or ``[N, K]``.
        targets: Of the same number of entries.

    Returns:
        ``[N]``.
    """
    return (
        (outputs.reshape(targets.shape) - targets.to(outputs.dtype)).square().flatten(1).mean(1)
        if targets.ndim > 1
        else (outputs.reshape(targets.shape) - targets.to(outputs.dtype)).square()
    )


NAMED = {
    "cross-entropy": Loss("cross-entropy", "classification", cross_entropy),
    "binary-cross-entropy": Loss("binary-cross-entropy", "classification", binary_cross_entropy),
    "squared-error": Loss("squared-error", "regression", squared_error),
}


def loss_named(loss: str | Loss | Callable[[Tensor, Tensor], Tensor], labels: Tensor) -> Loss:
    """The loss that the user means.

    Args:
        loss: A name, or a callable from outputs and labels of one network to one loss an example. The task of a callable is
            told from the labels: whole numbers are classes.
        labels: The training labels.

    Returns:
        The loss.

    Raises:
        Refusal: If the name is not known, or it is neither a name nor callable.
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        if loss not in NAMED:
            raise Refusal(
                given=f"loss was '{loss}'",
                expected=f"one of {', '.join(NAMED)}, or a callable from (outputs, labels) to one loss an example",
                do="choose one of these",
            )
        return NAMED[loss]
    if not callable(loss):
        raise Refusal(
            given=f"loss was a {type(loss).__name__}",
            expected=f"one of {', '.join(NAMED)}, or a callable from (outputs, labels) to one loss an example",
            do="pass loss='cross-entropy'",
        )
    task = "regression" if labels.is_floating_point() else "classification"
    return Loss(getattr(loss, "__name__", type(loss).__name__), task, _checked(loss))


def _checked(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    def per_example(outputs: Tensor, labels: Tensor) -> Tensor:
        losses = function(outputs, labels)
        if losses.shape != labels.shape[:1]:
            raise Refusal(
                given=f"the loss gave shape {tuple(losses.shape)} for {len(labels)} examples",
                expected="one loss an example",
                do="leave out the mean, as with reduction='none'",
            )
        return losses

    return per_example
