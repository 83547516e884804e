"""What the axes of the inputs mean: a picture, a signal, or neither."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from heldout.engine.evidence.outputs import is_classification
from heldout.engine.population import weight_layers
from heldout.engine.population.calling import placed
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

INSTEAD = (
    "use input-noise-consistency, or give pictures as [C, H, W] or [H, W] and signals to a Conv1d as [C, T] or [T]"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the axes of one example mean.

    Attributes:
        picture: Whether it is one; a signal otherwise.
        rank: How many axes an example has.
        along: The axis of width or time, counted from the end.
        low: Smallest number in the training inputs.
        span: Largest less smallest; 1 where all numbers are the same.
    """

    picture: bool
    rank: int
    along: int
    low: float
    span: float


def can_be_transformed(subject: Subject) -> None:
    """Demand a classification of pictures or signals.

    Args:
        subject: What is under study.
    """
    layout_of(subject)


def is_picture(subject: Subject) -> None:
    """Demand a classification of pictures.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If the inputs are anything else.
    """
    if not layout_of(subject).picture:
        raise NotApplicable("the inputs are signals, not pictures", do="use transform-consistency, which shifts them")


def layout_of(subject: Subject) -> Layout:
    """The layout of the inputs: told by their number of axes, and by what the first weight layer receives.

    Args:
        subject: What is under study.

    Returns:
        ``[C, H, W]`` and, where the first layer is two-dimensional or gets them flattened, ``[H, W]`` are pictures; ``[C, T]`` and
        ``[T]`` are signals where it is a Conv1d, ``[T, D]`` where it takes a sequence of vectors.

    Raises:
        NotApplicable: If the inputs are tokens, several tensors or rows of a table.
    """
    is_classification(subject)
    x = subject.train.x
    if not (isinstance(x, Tensor) and x.is_floating_point()):
        raise NotApplicable("the inputs are no single tensor of numbers, such as a picture or a signal", do=INSTEAD)
    rank = x.ndim - 1 - subject.train.x_per_member
    kind, received = _first_layer(subject) if rank in (1, 2) else ("", 0)
    if rank == 3 or (rank == 2 and (kind == "Conv2d" or (kind == "Linear" and received == 2))):
        picture, along = True, -1
    elif rank in (1, 2) and kind == "Conv1d":
        picture, along = False, -1
    elif rank == 2:
        picture, along = False, -2
    else:
        raise NotApplicable("the inputs are rows of a table, which cannot be mirrored or shifted", do=INSTEAD)
    low, high = float(x.min()), float(x.max())
    return Layout(picture, rank, along, low, (high - low) or 1.0)


def _first_layer(subject: Subject) -> tuple[str, int]:
    """Kind of the weight layer that is called first, and the number of axes of what it receives."""
    population = subject.population
    kinds = {layer.module: layer.kind for layer in weight_layers(population) if layer.module}
    seen: list[tuple[str, int]] = []

    def hook(kind: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _module, inputs: seen.append((kind, inputs[0].ndim if inputs else 0))

    hooks = [population.template.get_submodule(n).register_forward_pre_hook(hook(kind)) for n, kind in kinds.items()]
    try:
        with torch.no_grad(), vectorisable_kernels():
            population.call_one(*population.tensors(0), placed(subject.probe, population.device, population.dtype))
    finally:
        for one in hooks:
            one.remove()
    return seen[0] if seen else ("", 0)
