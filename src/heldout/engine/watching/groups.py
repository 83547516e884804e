"""What is read of a training network, in groups that share their work: cheap ones often, dear ones seldom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch

from heldout.catalog import find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, expected_passes
from heldout.engine.population import Population
from heldout.engine.subject import Loss, Subject
from heldout.engine.watching.errors import losses_and_errors
from heldout.engine.watching.rows import absent
from heldout.engine.watching.sampled import Sampled
from heldout.records import Refusal, Status

DIVERGED = "the weights are not finite: training diverged"
LOSSES = ("train-loss", "train-error", "validation-loss", "validation-error", "gap")


class Probe(NamedTuple):
    """What a group may look at.

    Attributes:
        population: The network as it is now, one member.
        initial: As it was at the beginning; None where nobody kept it or nothing has moved.
        train: Watched training examples.
        validation: Watched examples of the validation data, if any.
        loss: One an example.
        seed: Of stochastic readings.
        checked: Subjects of earlier probes by their examples: data are checked once.
    """

    population: Population
    initial: Population | None
    train: Sampled
    validation: Sampled | None
    loss: Loss
    seed: int
    checked: dict[tuple[int, bool], Subject]

    def subject(self, examples: int, *, validation: bool = False) -> Subject:
        """The network with some of the watched training examples.

        Args:
            examples: How many.
            validation: Whether the validation examples belong to it.

        Returns:
            The subject.
        """
        if (examples, validation) not in self.checked:
            unseen = self.validation.examples if validation and self.validation is not None else None
            few = self.train.first(examples).examples
            self.checked[examples, validation] = Subject(self.population, few, unseen, loss=self.loss)
        return self.checked[examples, validation].with_networks(self.population, self.initial)


@dataclass(slots=True)
class Found:
    """What a group found.

    Attributes:
        readings: As :meth:`Row.of` takes them.
        validation: Errors of the validation examples, or losses in a regression; None where it did not look.
    """

    readings: list[dict[str, Any]] = field(default_factory=list)
    validation: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Readings that are made together.

    Attributes:
        name: Of the group.
        names: Of its readings.
        read: From a probe to what was found.
        share: Of the budget that no other group may take, in parts.
        stride: Points of the schedule from one reading to the next.
        passes: Forward passes over one example that it is expected to cost, where a training example counts once.
    """

    name: str
    names: tuple[str, ...]
    read: Callable[[Probe], Found]
    share: float
    stride: int
    passes: float


def measured(name: str, names: Sequence[str], *, examples: int, share: float = 1.0, stride: int = 1) -> Group:
    """A group of measures of the catalog.

    Args:
        name: Of the group.
        names: Of the measures.
        examples: Training examples on which they are read.
        share: Of the budget, in parts.
        stride: Points of the schedule from one reading to the next.

    Returns:
        The group.

    Raises:
        Refusal: If a name is not that of a measure.
    """
    chosen = [find(each) for each in names]
    for unit in chosen:
        if unit.kind != "measure":
            raise Refusal(
                given=f"record held '{unit.name}', a {unit.kind}",
                expected="groups of readings, or measures",
                do="see 'heldout list --kind measure'",
            )

    def read(probe: Probe) -> Found:
        evidence = Evidence(probe.subject(examples, validation=True), seed=probe.seed)
        return Found([reading for unit in chosen for reading in read_measure(unit, evidence).rows()])

    cost = expected_passes(tuple({need for unit in chosen for need in unit.needs}))
    return Group(name, tuple(names), read, share, stride, examples * (cost.forward + 3 * cost.backward))


def errors(examples: int, validation: int) -> Group:
    """Losses, errors, gap, margins, softmax collapse and distances: one forward pass.

    Args:
        examples: Watched training examples.
        validation: Watched validation examples.

    Returns:
        The group.
    """
    also = ("margin-p10", "margin-median", "softmax-collapse", "param-norm", "relative-distance")
    chosen = [find(each) for each in also]

    def read(probe: Probe) -> Found:
        evidence = Evidence(probe.subject(examples, validation=True), seed=probe.seed)
        readings, kept = losses_and_errors(evidence, probe.train.total)
        return Found(readings + [row for unit in chosen for row in read_measure(unit, evidence).rows()], kept)

    return Group("errors", (*LOSSES, *also), read, 3.0, 1, examples + validation)


def standard(examples: int, validation: int) -> dict[str, Group]:
    """The groups that are read unless the user says otherwise, cheap ones first.

    Args:
        examples: Watched training examples at most.
        validation: Watched validation examples.

    Returns:
        By name.
    """
    half, few = min(examples, 256), min(examples, 128)
    groups = (
        errors(examples, validation),
        measured("gradients", ("gradient-noise", "m-coherence", "naive-loss-minimisation"), examples=half, stride=2),
        measured("sharpness", ("asam-sharpness", "expected-sharpness"), examples=few, stride=2),
        measured(
            "representations", ("davies-bouldin", "representation-dimension-two-nn", "local-complexity", "stable-rank"),
            examples=half, stride=4,
        ),
        measured("noise", ("random-label-probe",), examples=few, stride=2),
    )  # fmt: skip
    return {group.name: group for group in groups}


def finite(population: Population) -> bool:
    """Whether every weight is a number.

    Args:
        population: One network.

    Returns:
        False after a divergence.
    """
    tensors = [tensor for tensor in population.parameters.values() if tensor.is_floating_point()]
    return bool(torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all())


def read_group(group: Group, probe: Probe) -> Found:
    """Make the readings of a group.

    Args:
        group: Which.
        probe: What it may look at.

    Returns:
        What was found; of weights that are not finite, readings without numbers.
    """
    if not finite(probe.population):
        return Found([absent(name, Status.NOT_FINITE, DIVERGED) for name in group.names])
    return group.read(probe)
