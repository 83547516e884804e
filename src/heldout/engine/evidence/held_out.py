"""The losses that certificates are made from: held-out, and in [0, 1]."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import class_scores, has_test_data, losses_of
from heldout.engine.subject import Subject
from heldout.engine.subject.documents import DocumentLoss
from heldout.records import NotApplicable


class HeldOutLoss(NamedTuple):
    """Which loss the certificates speak of.

    Attributes:
        name: In words.
        low: Its smallest value.
        high: Its largest value.
        guessing: Its value where tokens are guessed evenly; None for losses of other kinds.
    """

    name: str
    low: float
    high: float
    guessing: float | None = None


def has_bounded_loss(subject: Subject) -> None:
    """Demand test data and a loss with a known range.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If either is missing.
    """
    has_test_data(subject)
    if subject.loss.task == "regression" and subject.loss_range is None:
        raise NotApplicable(
            "the loss of a regression has no declared range", do="pass loss_range=(0, b) if it can never exceed b"
        )


def has_pool(subject: Subject) -> None:
    """Demand a finite pool.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If the test examples are independent draws.
    """
    has_test_data(subject)
    if subject.pool is None:
        raise NotApplicable(
            "the test examples are independent draws, not a part of a finite pool",
            do="pass pool= its size if they were drawn from one without replacement",
        )


@evidence(requires=has_pool)
def held_out_pool(subject: Subject) -> int:
    """The size of the finite pool that the test examples were drawn from."""
    return int(subject.pool or 0)


@evidence(requires=has_bounded_loss)
def held_out_loss(subject: Subject) -> HeldOutLoss:
    """The 0-1 error of a classification, or the declared loss of a regression with its range."""
    if subject.loss.task == "classification":
        return HeldOutLoss("0-1 error", 0.0, 1.0)
    assert subject.loss_range is not None  # has_bounded_loss was asked first
    guessing = float(np.log2(subject.loss.vocabulary)) if isinstance(subject.loss, DocumentLoss) else None
    low, high = map(float, subject.loss_range)
    return HeldOutLoss(subject.loss.name, low, high, guessing)


@evidence(requires=has_bounded_loss)
def held_out_raw_losses(subject: Subject, test_outputs: Tensor, test_labels: Tensor) -> Tensor:
    """That loss on every test example, ``[M, N]``, in its own units."""
    if subject.loss.task == "classification":
        return (class_scores(subject, test_outputs).argmax(-1) != test_labels).double()
    return losses_of(subject, test_outputs, test_labels)


@evidence(requires=has_bounded_loss)
def held_out_losses(held_out_raw_losses: Tensor, held_out_loss: HeldOutLoss) -> np.ndarray:
    """The same rescaled to [0, 1], ``[M, N]``, float64 NumPy, which SciPy's inversions take."""
    unit = (held_out_raw_losses.double().cpu().numpy() - held_out_loss.low) / (held_out_loss.high - held_out_loss.low)
    return np.clip(unit, 0.0, 1.0)  # a loss outside the range is refused by the auditor, not hidden here
