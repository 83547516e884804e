"""A name for a subject's content: the same weights, data and settings give the same name."""

import hashlib
from collections.abc import Iterator

import numpy as np
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.engine.population import Population
from heldout.engine.subject.subject import Subject


def fingerprint(subject: Subject, *settings: object) -> str:
    """SHA-256 of everything that decides an audit's numbers.

    Args:
        subject: Networks, data, loss.
        *settings: Whatever else decides them, such as seed and version.

    Returns:
        Twenty hexadecimal digits.
    """
    digest = hashlib.sha256(repr(settings).encode())
    digest.update(repr((subject.summary(), subject.loss_range, subject.selected_on_test, subject.duplicates)).encode())
    digest.update(str(subject.population.template).encode())
    if subject.history is not None:
        digest.update(repr(subject.history.epoch).encode())
    for values in (*_tensors(subject), *_recorded(subject)):
        array = np.ascontiguousarray(values.detach().cpu().numpy() if isinstance(values, Tensor) else values)
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:20]


def _tensors(subject: Subject) -> Iterator[Tensor]:
    for population in (subject.population, subject.initial):
        if isinstance(population, Population):
            yield from population.parameters.values()
            yield from population.buffers.values()
    for examples in (subject.train, subject.test):
        if examples is not None:
            yield from tree_leaves(examples.x)
            yield examples.y


def _recorded(subject: Subject) -> Iterator[np.ndarray]:
    if (history := subject.history) is not None:
        yield from (part for part in (history.steps, history.losses, history.gradient_noise) if part is not None)
