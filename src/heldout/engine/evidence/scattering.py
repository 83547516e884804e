"""How far weights move with the examples: networks trained again on other examples, and with one of them replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._pytree import tree_map

from heldout.catalog import evidence
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.evidence.replacing import chunks, sets_at_once
from heldout.engine.evidence.retraining import alone, can_train_again, errors_of, of_member, trained_together
from heldout.engine.population import Population, stream
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import Recipe
from heldout.records import NotApplicable

Floats = NDArray[np.float64]

SAMPLES = 8  # disjoint sets of examples, each with its own network
SMALLEST = 8  # examples of one
REPLACED = 4  # examples of each set that are replaced, one at a time
FINEST, COARSEST, STEPS = 2.0**-9, 2.0**1, 11  # of noise, in units of the initial weights' root mean square
DRAWS = 2  # of the noise for every network and size


@dataclass(frozen=True, slots=True, eq=False)
class Scattered:
    """What weights do when examples are drawn again.

    Attributes:
        names: Of T parameter tensors, in the network's order.
        sizes: Numbers of their coordinates, ``[T]``.
        apart: Squared distances between the networks of two samples, ``[M, T, K, K]``.
        moved: Those that replacing one example makes, ``[M, T, K, R]``.
        noises: Standard deviations of Gaussian noise on all parameters, ``[M, G]``.
        seen: Error of noisy networks on the sample that they were trained on, ``[M, G, K]``.
        fresh: The same on another sample, ``[M, G, K]``.
        examples: n, of one sample.
        data: Role -> which examples, in words.
    """

    names: tuple[str, ...]
    sizes: Floats
    apart: Floats
    moved: Floats
    noises: Floats
    seen: Floats
    fresh: Floats
    examples: int
    data: Mapping[str, str] = field(default_factory=dict)


def is_private_or_infinite(subject: Subject) -> None:
    """Demand weights whose information about the examples is finite.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If nothing makes it so.
    """
    is_classification(subject)
    if subject.privacy is None:
        raise NotApplicable(
            "the mutual information of the weights and the examples is infinite: the weights are continuous, and training is a "
            "function of the examples",
            do="read noisy-mutual-information or f-cmi, or pass privacy= the epsilon of a private training",
        )


@evidence(forward=200, backward=200, requires=can_train_again)
def scattered(subject: Subject, recipe: Recipe, seed: int) -> Scattered:
    """Networks trained from where each began on disjoint samples, and on each with one example replaced by that of another.

    Args:
        subject: Whose training examples are shared out.
        recipe: How networks are trained.
        seed: Of the shares, and of the training, the same for all.

    Returns:
        Squared distances of their weights, and what noise on these does.

    Raises:
        NotApplicable: If there are not two samples.
    """
    assert subject.initial is not None  # can_train_again was asked first
    samples = min(SAMPLES, len(subject.train) // SMALLEST)
    if samples < 2:
        raise NotApplicable(
            f"{len(subject.train)} training examples make no two samples", do=f"pass at least {2 * SMALLEST}"
        )
    size = len(subject.train) // samples
    parts = torch.randperm(len(subject.train), generator=stream(seed, "samples"))[: samples * size].reshape(
        samples, size
    )
    replaced = min(REPLACED, size)
    others = swapped_shares(parts, replaced)
    apart, moved, noises, seen, fresh = [], [], [], [], []
    for member in range(len(subject.population)):
        every = of_member(subject.train, member)
        own = alone(recipe, member, size)
        networks = trained_together(subject.initial, member, taken(every, parts), own, seed=seed)
        first = {name: tensor.flatten(1).double().cpu() for name, tensor in networks.parameters.items()}
        again = [
            trained_together(subject.initial, member, taken(every, places), own, seed=seed).parameters
            for places in chunks(others, sets_at_once(every.take(parts[0])))
        ]
        then = {n: torch.cat([each[n].flatten(1) for each in again]).double().cpu() for n in first}
        apart.append([_squared(w[:, None] - w[None]) for w in first.values()])
        moved.append([_squared(then[n].reshape(samples, replaced, -1) - w[:, None]) for n, w in first.items()])
        scale = root_mean_square(subject.initial, member) * np.geomspace(FINEST, COARSEST, STEPS)
        errors = [_noisy_errors(subject, networks, every, parts, float(one), seed, g) for g, one in enumerate(scale)]
        noises.append(scale)
        seen.append([one[0] for one in errors])
        fresh.append([one[1] for one in errors])
    return Scattered(
        names=tuple(first), sizes=np.array([w.shape[1] for w in first.values()], dtype=np.float64),
        apart=np.array(apart), moved=np.array(moved), noises=np.array(noises), seen=np.array(seen), fresh=np.array(fresh),
        examples=size,
        data={
            "samples": f"{samples} disjoint samples of {size} of {len(subject.train)} training examples, drawn with seed {seed}",
            "training": f"one network a sample, and {replaced} with one example replaced by one of the next sample",
            "noise": f"{STEPS} standard deviations, {DRAWS} draws each",
            "assumption": "training examples are independent draws of one distribution; initial weights and batches are fixed",
        },
    )  # fmt: skip


@evidence(requires=is_private_or_infinite)
def weight_privacy(subject: Subject) -> float:
    """Epsilon of the training, which alone makes the information of exact weights about the examples finite."""
    assert subject.privacy is not None  # is_private_or_infinite was asked first
    return float(subject.privacy)


def swapped_shares(parts: Tensor, replaced: int) -> Tensor:
    """Every sample with one example replaced by that of the next sample, one after the other.

    Args:
        parts: Places of the samples' examples, ``[K, n]``.
        replaced: How many of each sample are replaced, R.

    Returns:
        Places ``[K R, n]``.
    """
    changed = parts[:, None].repeat(1, replaced, 1)
    which = torch.arange(replaced)
    changed[:, which, which] = parts.roll(-1, 0)[:, :replaced]
    return changed.flatten(0, 1)


def taken(every: Examples, places: Tensor) -> Examples:
    """Sets of examples.

    Args:
        every: N examples.
        places: ``[D, n]``.

    Returns:
        Sets ``[D, n]``.
    """
    return Examples(tree_map(lambda leaf: leaf[places], every.x), every.y[places], x_per_member=True, y_per_member=True)


def root_mean_square(population: Population, member: int) -> float:
    """Of all parameters of one member.

    Args:
        population: Which it is in.
        member: Which, from 0.

    Returns:
        Above 0 unless all are 0.
    """
    own = torch.cat([tensor[member].flatten().double() for tensor in population.parameters.values()])
    return float(own.square().mean().sqrt())


def _squared(differences: Tensor) -> Floats:
    return np.asarray(differences.square().sum(-1).numpy())


def _noisy_errors(
    subject: Subject, networks: Population, every: Examples, parts: Tensor, noise: float, seed: int, number: int
) -> tuple[Floats, Floats]:
    """Errors ``[K]`` on the own sample and on the next, over draws of the noise."""
    found = []
    for draw in range(DRAWS):
        moved = {
            name: tensor
            + noise * torch.randn(tensor.shape, generator=stream(seed, "weight noise", number, draw, name)).to(tensor)
            for name, tensor in networks.parameters.items()
        }
        noisy = networks.with_tensors(moved, dict(networks.buffers))
        both = [errors_of(subject, noisy, taken(every, places)).mean(1) for places in (parts, parts.roll(-1, 0))]
        found.append(torch.stack(both))
    seen, fresh = torch.stack(found).mean(0)
    return seen.numpy(), fresh.numpy()
