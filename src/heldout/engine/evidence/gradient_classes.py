"""Gradients class by class and parameter by parameter: how the classes' directions agree, and each parameter's second moment."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.example_gradients import example_gradients
from heldout.engine.evidence.gradients import portions, room
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

MOST_ENTRIES = 2**27  # of one network's sums over classes, a gibibyte of float64


class GradientClasses(NamedTuple):
    """Inner products of the classes' gradients.

    Attributes:
        directions: Of sums of gradients of length 1, ``[M, C, C]``.
        directed: Examples of each class whose gradient is not zero, ``[M, C]``.
        means: Of mean gradients, ``[M, C, C]``; NaN for classes without examples.
    """

    directions: Tensor
    directed: Tensor
    means: Tensor


class GradientDetails(NamedTuple):
    """What forming every example's gradient gives beyond its norm.

    Attributes:
        second: Parameter's name -> mean squared gradient, entry by entry, ``[M, ...]``.
        classes: Inner products between classes; None for a regression.
    """

    second: dict[str, Tensor]
    classes: GradientClasses | None


@evidence(forward=1, backward=1, thorough=True)
def gradient_details(subject: Subject) -> GradientDetails:
    """Second moments of the gradients, and sums over each class, in one pass that forms every example's gradient."""
    population = subject.population
    members, examples = len(population), len(subject.train)
    gradients_of = example_gradients(population, subject)
    second = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in population.parameters.items()}
    count = _classes(subject)
    rows, block = room(subject)
    rows = max(1, min(rows, population.memory // (16 * max(1, count) * population.size)))
    parts: list[GradientClasses] = []
    sums = torch.zeros(0)
    held = torch.zeros(0)
    for few in portions(subject, rows, block):
        if count and few.examples.start == 0:
            size = (2, len(few.y), count, population.size)
            sums, held = second_like(second, size), second_like(second, (2, len(few.y), count))
        gradients = gradients_of(few.parameters, few.buffers, few.x, few.y, few.per_member)
        for name, gradient in gradients.items():
            second[name][few.members] += gradient.double().square().sum(1)
        if count:
            flat = torch.cat(
                [g.reshape(few.y.shape[0] * few.y.shape[1], -1) for g in gradients.values()], dim=1
            ).double()
            norms = flat.norm(dim=1)
            # row by row: a product with one-hot classes would touch the sums of all classes for every few examples
            place = (
                few.y.reshape(few.y.shape[:2]).long()
                + count * torch.arange(len(few.y), device=few.y.device).unsqueeze(1)
            ).flatten()
            held[1].flatten().index_add_(0, place, torch.ones_like(norms))
            held[0].flatten().index_add_(0, place, (norms > 0).double())
            sums[1].flatten(0, 1).index_add_(0, place, flat)
            sums[0].flatten(0, 1).index_add_(
                0, place, flat / norms.clamp(min=torch.finfo(torch.float64).tiny).unsqueeze(1)
            )
            if few.examples.stop >= examples:
                means = sums[1] / held[1].unsqueeze(-1)  # 0 / 0 of a class without examples is NaN
                parts.append(GradientClasses(sums[0] @ sums[0].mT, held[0], means @ means.mT))
    found = GradientClasses(*(torch.cat(part) for part in zip(*parts, strict=True))) if count else None
    assert found is None or len(found.directed) == members
    return GradientDetails({name: square / examples for name, square in second.items()}, found)


def second_like(like: dict[str, Tensor], shape: tuple[int, ...]) -> Tensor:
    """Zeros in float64 where other tensors are.

    Args:
        like: Any tensors.
        shape: Of the zeros.

    Returns:
        The zeros.
    """
    return next(iter(like.values())).new_zeros(shape)


def has_classes(subject: Subject) -> None:
    """Demand a classification with two classes or more whose gradients can be summed class by class.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is a regression, one class, labels a token, or too large.
    """
    is_classification(subject)
    if not _classes(subject):
        raise NotApplicable(
            "the training labels are not one of 2 classes or more an example, or sums over all classes do not fit",
            do="read gradient-noise and m-coherence, which know no classes",
        )


@evidence(requires=has_classes)
def gradient_classes(gradient_details: GradientDetails) -> GradientClasses:
    """Inner products between the classes' gradients."""
    assert gradient_details.classes is not None  # has_classes was asked first
    return gradient_details.classes


@evidence()
def gradient_second_moments(gradient_details: GradientDetails) -> dict[str, Tensor]:
    """Mean over training examples of the squared gradient, parameter's name -> ``[M, ...]``."""
    return gradient_details.second


def _classes(subject: Subject) -> int:
    """C where gradients can be summed class by class; 0 where not."""
    y = subject.train.y
    one_each = y[0].numel() == (len(subject.train) if subject.train.y_per_member else 1)
    if subject.loss.task != "classification" or not one_each:
        return 0
    count = int(y.max()) + 1
    return count if count > 1 and count * subject.population.size <= MOST_ENTRIES else 0
