"""Sizes that capacity bounds of chains of layers are written in: kernels, channels, the image's side, the inputs' radius."""

import math
from typing import Any, NamedTuple

from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.catalog import evidence
from heldout.engine.evidence.chains import Link, is_chain
from heldout.engine.population import Population
from heldout.engine.subject import Subject


class Geometry(NamedTuple):
    """Of a chain of dense and convolutional layers; a dense layer is a convolution of one pixel.

    Attributes:
        kernels: k of every layer: side of the square with as many entries as its kernel.
        channels: c: outputs of a dense layer, output channels of a convolution.
        entries: Weights, ``k^2 c_in c`` unless the channels stand in groups.
        side: n: side of the square with as many pixels as an input; 1 where the first layer is dense.
    """

    kernels: tuple[float, ...]
    channels: tuple[int, ...]
    entries: tuple[int, ...]
    side: float


@evidence(requires=is_chain)
def geometry(subject: Subject, folded: Population, chain: tuple[Link, ...]) -> Geometry:
    """Kernels, channels, weights and the image's side of a chain."""
    layers: list[Any] = [folded.template.get_submodule(link.name) for link in chain]
    shapes = [layer.weight.shape for layer in layers]
    axes = len(shapes[0]) - 2
    pixels = math.prod(tree_leaves(subject.probe)[0].shape[-axes:]) if axes else 1
    return Geometry(
        kernels=tuple(math.sqrt(math.prod(shape[2:])) for shape in shapes),
        channels=tuple(shape[0] for shape in shapes),
        entries=tuple(math.prod(shape) for shape in shapes),
        side=math.sqrt(pixels),
    )


@evidence(requires=is_chain)
def input_radius(subject: Subject) -> Tensor:
    """Largest Euclidean norm of a training input, ``[M]``, float64."""
    x, members = tree_leaves(subject.train.x)[0], len(subject.population)
    norms = x.double().flatten(2 if subject.train.x_per_member else 1).norm(dim=-1)
    return norms.amax(-1).expand(members).to(subject.population.device)
