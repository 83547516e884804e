"""What the networks say: outputs, losses, errors and margins, on the training and on the test data."""

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.subject import Examples, Subject
from heldout.records import NotApplicable


@evidence(forward=1)
def outputs(subject: Subject) -> Tensor:
    """Raw outputs on the training data, ``[M, N, ...]``, float64."""
    return _outputs(subject, subject.train)


def has_test_data(subject: Subject) -> None:
    """Demand test data.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If there are none.
    """
    if subject.test is None:
        raise NotApplicable("there is no test data", do="pass test=(x, y) with data the network has not seen")


def is_classification(subject: Subject) -> None:
    """Demand a classification.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If the task is a regression.
    """
    if subject.loss.task != "classification":
        raise NotApplicable("the task is a regression", do="use the readings of the loss instead")


@evidence(forward=1, requires=has_test_data)
def test_outputs(subject: Subject) -> Tensor:
    """Raw outputs on the test data, ``[M, N, ...]``, float64."""
    return _outputs(subject, _test(subject))


@evidence()
def labels(subject: Subject) -> Tensor:
    """Training labels or targets, ``[M, N, ...]``."""
    return subject.train.labels(len(subject.population)).to(subject.population.device)


@evidence(requires=has_test_data)
def test_labels(subject: Subject) -> Tensor:
    """Test labels or targets, ``[M, N, ...]``."""
    return _test(subject).labels(len(subject.population)).to(subject.population.device)


@evidence(requires=is_classification)
def logits(subject: Subject, outputs: Tensor) -> Tensor:
    """Class scores on the training data, ``[M, N, C]``; one binary logit z stands as (0, z)."""
    return class_scores(subject, outputs)


@evidence(requires=is_classification)
def test_logits(subject: Subject, test_outputs: Tensor) -> Tensor:
    """Class scores on the test data, ``[M, N, C]``."""
    return class_scores(subject, test_outputs)


@evidence()
def losses(subject: Subject, outputs: Tensor, labels: Tensor) -> Tensor:
    """Training loss of every example, ``[M, N]``."""
    return losses_of(subject, outputs, labels)


@evidence()
def test_losses(subject: Subject, test_outputs: Tensor, test_labels: Tensor) -> Tensor:
    """Test loss of every example, ``[M, N]``."""
    return losses_of(subject, test_outputs, test_labels)


@evidence()
def errors(logits: Tensor, labels: Tensor) -> Tensor:
    """0-1 training error of every example, ``[M, N]``, float64; a tie for the largest score goes to the first class."""
    return (logits.argmax(-1) != labels).double()


@evidence()
def test_errors(test_logits: Tensor, test_labels: Tensor) -> Tensor:
    """0-1 test error of every example, ``[M, N]``, float64."""
    return (test_logits.argmax(-1) != test_labels).double()


@evidence()
def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """True logit minus the best other logit of every training example, ``[M, N]``; negative where the network errs."""
    true = logits.gather(-1, labels.unsqueeze(-1))
    others = logits.scatter(-1, labels.unsqueeze(-1), float("-inf"))
    return true.squeeze(-1) - others.amax(-1)


@evidence()
def margin_10th_percentile(margins: Tensor) -> Tensor:
    """The margin gamma of the bounds, ``[M]``: 10th percentile of the training margins, interpolated; it keeps its sign."""
    ordered = margins.sort(dim=-1).values
    position = 0.1 * (ordered.shape[-1] - 1)
    below = int(position)
    above = min(below + 1, ordered.shape[-1] - 1)
    return ordered[:, below].lerp(ordered[:, above], position - below)


@evidence()
def train_size(subject: Subject) -> int:
    """The number of training examples N."""
    return len(subject.train)


def _test(subject: Subject) -> Examples:
    assert subject.test is not None  # has_test_data was asked first
    return subject.test


def _outputs(subject: Subject, examples: Examples) -> Tensor:
    # Softmax losses of well-fitted networks are differences of nearly equal numbers: float64 from here on.
    return subject.population(examples.x, per_member=examples.x_per_member).double()


def losses_of(subject: Subject, outputs: Tensor, labels: Tensor) -> Tensor:
    """Loss of every example and member.

    Args:
        subject: Whose loss it is.
        outputs: ``[M, N, ...]``.
        labels: ``[M, N, ...]``.

    Returns:
        ``[M, N]``.
    """
    return torch.stack([subject.loss.per_example(*pair) for pair in zip(outputs, labels, strict=True)])


def class_scores(subject: Subject, outputs: Tensor) -> Tensor:
    """Class scores from raw outputs; one binary logit z stands as (0, z).

    Args:
        subject: A classification.
        outputs: ``[M, N, C]``, or one logit an example.

    Returns:
        ``[M, N, C]``.
    """
    if subject.loss.name == "binary-cross-entropy":
        score = outputs.reshape(*outputs.shape[:2])
        return torch.stack([torch.zeros_like(score), score], dim=-1)
    return outputs
