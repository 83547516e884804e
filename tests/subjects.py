"""Evidence for the common checks, cached: every unit of the catalog is read from the same few subjects."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from tests import cases

from heldout.engine.evidence.resolving import Evidence
from heldout.engine.population.stack import DEFAULT_MEMORY
from heldout.engine.subject import Subject

#: Bytes that force every call into chunks of a few examples.
TINY = 20_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way to set up the same subject: what may not matter for a reading."""

    members: tuple[int, ...] = (0, 1, 2)
    memory: int = DEFAULT_MEMORY
    seed: int = 0
    repeat: int = 0  # a fresh computation of the same thing


def subject_of(case: str, way: Way) -> Subject:
    """The subject of a case, set up in a way."""
    make: Callable[..., cases.Case] = getattr(cases, case)
    members = [make(seed=seed) for seed in way.members]
    return cases.together(members, memory=way.memory)


@cache
def evidence(case: str, way: Way = Way()) -> Evidence:
    """The evidence of that subject."""
    return Evidence(subject_of(case, way), seed=way.seed)


@cache
def bare(case: str = "mlp") -> Evidence:
    """A subject of which nothing but network and training data is known."""
    one = getattr(cases, case)()
    return Evidence(Subject(one.network, train=one.train, loss=one.loss))


@cache
def untrained(case: str = "mlp") -> Evidence:
    """An untrained network: margins that are not positive, a loss near that of guessing."""
    one = getattr(cases, case)()
    shaken = cases.together([getattr(cases, case)(seed=seed) for seed in (1, 2)])
    return Evidence(Subject(one.initial, train=one.train, test=one.test, initial=shaken.initial.member(0)))  # type: ignore[union-attr]


def weights_of(evidence: Evidence) -> dict[str, torch.Tensor]:
    """Copies of all weights, buffers and data of a subject."""
    subject = evidence.subject
    named = {**subject.population.parameters, **subject.population.buffers}
    data = {"train x": subject.train.x, "train y": subject.train.y}
    if subject.test is not None:
        data |= {"test x": subject.test.x, "test y": subject.test.y}
    named |= {name: tensor for name, tensor in data.items() if isinstance(tensor, torch.Tensor)}
    return {name: tensor.clone() for name, tensor in named.items()}
