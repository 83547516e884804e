"""The classes as clouds of points in the representations, and what random linear readers find of them."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.catalog import evidence
from heldout.engine.evidence.activations import has_hidden_layers
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.numerics.manifold_geometry import Anchored, anchored, coordinates, dichotomies
from heldout.engine.population import stream
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

CLASSES = 20  # at most; the first in order
POINTS = 20  # examples of a class
DRAWS = 128  # probes: the standard error of a capacity is then a few percent
MOSTLY = 0.5  # of the draws must have anchors, or the geometry is that of a few
MEMBERS = 8  # of a profile
BYTES_AT_ONCE = 256 * 2**20


class ClassManifolds(NamedTuple):
    """Quadratic forms of random probes on the clouds of classes, averaged over classes; ``[M, T]`` unless said.

    Attributes:
        whole: Squared length of the projection on the cone of a dichotomy, over classes.
        axes: The part that the anchors' axes alone would have; 0 where a probe has none.
        damped: The same with the centres in the way.
        outside: 1 where a probe has anchors, since it is outside the cone.
        by_chance: As ``whole``, labels shuffled among the same points.
        centre_correlation: Mean absolute cosine of two classes' mean anchors, ``[M]``; NaN where no probe has any.
        converged: Whether every projection settled, ``[M]``.
    """

    whole: Tensor
    axes: Tensor
    damped: Tensor
    outside: Tensor
    by_chance: Tensor
    centre_correlation: Tensor
    converged: Tensor


class LayerManifolds(NamedTuple):
    """The same layer by layer, and of every class by itself, of the first eight members.

    Attributes:
        layers: Names, in order.
        classes: Labels.
        own: Means over draws of whole, axes and damped of each class alone, ``[3, M', L, P]``; NaN in axes and damped where
            fewer than half of the draws have anchors.
        together: Mean over draws of whole, all classes together, ``[M', L]``.
        by_chance: The same with labels shuffled, ``[M', L]``.
        outside: Share of draws that have anchors, ``[M', L]``.
    """

    layers: tuple[str, ...]
    classes: tuple[int, ...]
    own: Tensor
    together: Tensor
    by_chance: Tensor
    outside: Tensor


def has_class_manifolds(subject: Subject) -> None:
    """Demand a classification by more than one layer.

    Args:
        subject: What is under study.
    """
    is_classification(subject)
    has_hidden_layers(subject)


@evidence(thorough=True, requires=has_class_manifolds)
def class_manifolds(
    representations: dict[str, Tensor], representation_labels: Tensor, seed: int, *, draws: int = DRAWS
) -> ClassManifolds:
    """Anchors of random probes on the classes, in what the last weight layer receives; 20 classes and examples of each at most."""
    last = list(representations.values())[-1]
    found, chance = read(last, representation_labels, seed, draws)
    number = classes_of(representation_labels).unsqueeze(1)
    unit = torch.nn.functional.normalize(found.centres, dim=-1)
    cosine = (unit @ unit.transpose(1, 2)).abs().tril(-1).sum((1, 2))
    whole, axes, damped, by_chance = (
        part.sum(-1) / number for part in (found.whole, found.axes, found.damped, chance.whole)
    )
    return ClassManifolds(
        whole, axes, damped, found.outside, by_chance,
        centre_correlation=(cosine / (number * (number - 1) / 2).squeeze(1)) + 0 / found.outside.sum(1),
        converged=(found.converged & chance.converged).all(1),
    )  # fmt: skip


@evidence(thorough=True, requires=has_class_manifolds)
def layer_manifolds(
    representations: dict[str, Tensor], representation_labels: Tensor, seed: int, *, draws: int = DRAWS
) -> LayerManifolds:
    """The same in what every weight layer but the first receives."""
    labels = representation_labels[:MEMBERS]
    own, together, by_chance, outside = [], [], [], []
    for features in representations.values():
        found, chance = read(features[:MEMBERS], labels, seed, draws)
        number = classes_of(labels)
        together.append(found.whole.mean(1).sum(1) / number)
        by_chance.append(chance.whole.mean(1).sum(1) / number)
        outside.append(found.outside.mean(1))
        own.append(alone(features[:MEMBERS], labels, seed, draws))
    return LayerManifolds(
        tuple(representations), tuple(torch.unique(labels).tolist()[:CLASSES]), torch.stack(own, 2),
        *(torch.stack(column, 1) for column in (together, by_chance, outside)),
    )  # fmt: skip


def classes_of(labels: Tensor) -> Tensor:
    """How many of the classes that are looked at every member has.

    Args:
        labels: ``[M, N']``.

    Returns:
        ``[M]``, float64.
    """
    return (labels.unsqueeze(1) == torch.unique(labels)[:CLASSES].unsqueeze(1)).any(2).double().sum(1)


def alone(features: Tensor, labels: Tensor, seed: int, draws: int) -> Tensor:
    """What probes find of every class by itself, as if the others lay across: the mean field of Chung et al. 2018.

    Args:
        features: ``[M, N', F]``.
        labels: ``[M, N']``.
        seed: Of the probes.
        draws: T.

    Returns:
        Means over draws of whole, axes and damped, ``[3, M, P]``; NaN in the latter where most probes have no anchor.
    """
    clouds = class_points(features, labels)
    points = coordinates(clouds.flatten(0, 1)).unsqueeze(1)
    probes = torch.randn(draws, points.shape[3], generator=stream(seed, "probes"), dtype=torch.float64).to(points)
    found = anchored(points, probes.new_ones(draws, 1), probes)
    share = found.outside.mean(1)
    share = torch.where(share < MOSTLY, float("nan"), share)
    forms = [found.whole.mean((1, 2)), found.axes.mean((1, 2)) / share, found.damped.mean((1, 2)) / share]
    return torch.stack(forms).reshape(3, *clouds.shape[:2])


def read(features: Tensor, labels: Tensor, seed: int, draws: int) -> tuple[Anchored, Anchored]:
    """Anchors on the classes, and on classes made of shuffled labels.

    The centres' mean is taken away first, as Cohen et al. 2020 do: a reader without a threshold then does what one with a
    threshold does.

    Args:
        features: ``[M, N', F]``.
        labels: ``[M, N']``.
        seed: Of probes, dichotomies and the shuffle, the same for all members and layers.
        draws: T.

    Returns:
        The two.
    """
    clouds = class_points(features, labels)
    classes, each = clouds.shape[1:3]
    order = torch.randperm(classes * each, generator=stream(seed, "shuffled manifolds")).to(clouds.device)
    mixed = clouds.flatten(1, 2)[:, order].reshape(clouds.shape)
    signs = dichotomies(classes, draws, stream(seed, "dichotomies")).to(clouds.device)
    dimension = min(classes * each, clouds.shape[3])
    probes = torch.randn(draws, dimension, generator=stream(seed, "probes"), dtype=torch.float64).to(clouds.device)
    together = max(1, BYTES_AT_ONCE // (8 * classes * (each**2 * classes + draws * dimension)))
    both = []
    for points in (clouds, mixed):
        parts = [anchored(_own(few), signs, probes) for few in torch.split(points, together)]
        both.append(Anchored(*(torch.cat(column) for column in zip(*parts, strict=True))))
    return both[0], both[1]


def class_points(features: Tensor, labels: Tensor) -> Tensor:
    """Some points of every class; a class with too few repeats its own, which changes no cone.

    Args:
        features: ``[M, N', F]``.
        labels: ``[M, N']``.

    Returns:
        ``[M, P, K, F]``, float64, the mean of the classes' means subtracted; zeros where a member has no such class.

    Raises:
        NotApplicable: If there are not two classes.
    """
    classes = torch.unique(labels)[:CLASSES]
    if len(classes) < 2:
        raise NotApplicable(
            "there are fewer than two classes among the examples", do="use the readings of the loss instead"
        )
    own = labels.unsqueeze(1) == classes.unsqueeze(1)  # [M, P, N']
    count = own.sum(2, keepdim=True)
    each = min(POINTS, int(count.max()))
    listed = torch.sort(own.to(torch.uint8), dim=2, descending=True, stable=True).indices
    places = listed.gather(2, torch.arange(each, device=labels.device) % count.clamp(min=1))
    points = torch.stack([rows[at] for rows, at in zip(features.double(), places, strict=True)])
    there = (count > 0).double()
    means = own.double() @ features.double() / count.clamp(min=1)
    middle = means.sum(1, keepdim=True) / there.sum(1, keepdim=True)
    return (points - middle.unsqueeze(1)) * there.unsqueeze(3)


def _own(points: Tensor) -> Tensor:
    return coordinates(points.flatten(1, 2)).reshape(*points.shape[:3], -1)
