"""How training went, where it is known: losses and gradient noise along the steps."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

GIVE = "pass history={'step': ..., 'train-loss': ...}, --history FILE, or audit trajectory.subject()"


class LossHistory(NamedTuple):
    """Training losses along the steps.

    Attributes:
        steps: At which something was recorded, ascending, ``[M, K]``, float64.
        losses: Mean training loss there, ``[M, K]``; NaN where it was not recorded.
    """

    steps: Tensor
    losses: Tensor


class NoiseHistory(NamedTuple):
    """Gradient noise along the steps.

    Attributes:
        steps: At which something was recorded, ascending, ``[M, K]``, float64.
        noise: Trace of the covariance of the examples' gradients there, ``[M, K]``; NaN where it was not recorded.
        epoch: Steps of the first epoch, ``[M]``.
    """

    steps: Tensor
    noise: Tensor
    epoch: Tensor


def has_history_of_cross_entropy(subject: Subject) -> None:
    """Demand recorded training losses, and that they are cross-entropies.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there are none, or the loss is another.
    """
    if subject.loss.name not in ("cross-entropy", "binary-cross-entropy"):
        raise NotApplicable(
            f"the levels are of a cross-entropy, and the loss is '{subject.loss.name}'",
            do="read the recorded losses themselves",
        )
    if subject.history is None:
        raise NotApplicable("how training went is not known", do=GIVE)


def has_history_of_noise(subject: Subject) -> None:
    """Demand recorded gradient noise, and the steps of an epoch.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: With what is missing.
    """
    if subject.history is None:
        raise NotApplicable("how training went is not known", do=GIVE)
    if subject.history.gradient_noise is None:
        raise NotApplicable(
            "the gradient noise was not recorded along the training",
            do="give the history a column gradient-noise, or train with record=('train-loss', 'gradient-noise')",
        )
    if subject.history.epoch is None:
        raise NotApplicable("the steps of an epoch are not known", do="give the history a column epoch that reaches 1")


@evidence(requires=has_history_of_cross_entropy)
def loss_history(subject: Subject) -> LossHistory:
    """Training losses along the steps, as they were recorded."""
    assert subject.history is not None  # has_history_of_cross_entropy was asked first
    return LossHistory(*_tensors(subject, subject.history.losses))


@evidence(requires=has_history_of_noise)
def noise_history(subject: Subject) -> NoiseHistory:
    """Gradient noise along the steps, as it was recorded."""
    history = subject.history
    assert history is not None  # has_history_of_noise was asked first
    assert history.gradient_noise is not None
    assert history.epoch is not None
    steps, noise = _tensors(subject, history.gradient_noise)
    return NoiseHistory(steps, noise, torch.full_like(noise[:, 0], history.epoch))


def _tensors(subject: Subject, values: np.ndarray) -> tuple[Tensor, Tensor]:
    assert subject.history is not None
    device, members = subject.population.device, len(subject.population)
    steps = torch.from_numpy(subject.history.steps).to(device, torch.float64)
    return steps.expand(members, -1), torch.from_numpy(values).to(device)
