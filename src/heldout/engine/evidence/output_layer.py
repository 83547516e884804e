"""The last layer as a linear classifier on what it receives: its weights, and the smallest ball around its inputs."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from heldout.catalog import evidence
from heldout.engine.evidence.activations import has_hidden_layers
from heldout.engine.evidence.outputs import is_classification
from heldout.engine.population import weight_layers
from heldout.engine.subject import Subject
from heldout.records import NotApplicable

STEPS = 1000
TOLERANCE = 0.01  # of the squared radius
INSTEAD = "use the norms of the weight layers"


class OutputLayer(NamedTuple):
    """The last layer on its own inputs.

    Attributes:
        weights: ``[M, C, F]``, float64; of a network with one logit, that and its opposite, halved.
        squared_radius: Of the smallest ball around what the layer receives of the training examples, ``[M]``, from above.
        settled: Whether it is at most 1 % too large, ``[M]``.
    """

    weights: Tensor
    squared_radius: Tensor
    settled: Tensor


def has_linear_output(subject: Subject) -> None:
    """Demand a classification by layers of which the last is dense.

    Args:
        subject: What is under study.

    Raises:
        NotApplicable: If it is something else.
    """
    is_classification(subject)
    has_hidden_layers(subject)
    last = weight_layers(subject.population)[-1]
    if last.kind != nn.Linear.__name__ or last.name != f"{last.module}.weight":
        raise NotApplicable(f"the last weight layer is not dense ({last.kind})", do=INSTEAD)


@evidence(requires=has_linear_output)
def output_layer(subject: Subject, weights: dict[str, Tensor], representations: dict[str, Tensor]) -> OutputLayer:
    """The last layer that is called, with the ball around what it receives."""
    name = list(representations)[-1]
    features = representations[name]
    weight = weights.get(f"{name}.weight")
    if weight is None or weight.shape[2] != features.shape[2]:
        raise NotApplicable("the last layer that is called does not read its inputs whole", do=INSTEAD)
    weight = weight.double()
    weight = torch.cat([-weight, weight], dim=1) / 2 if weight.shape[1] == 1 else weight
    return OutputLayer(weight, *smallest_ball(features))


def smallest_ball(points: Tensor, *, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    r"""Squared radius of the smallest ball around points, by Frank and Wolfe's method on its dual.

    .. math:: R^2 = \max_{\alpha \in \Delta} \sum_i \alpha_i \|x_i\|^2 - \Big\| \sum_i \alpha_i x_i \Big\|^2

    Every step moves the centre towards the farthest point, or away from the nearest one that carries weight, as far as is best
    (Yildirim 2008, algorithm 4.1). The farthest point bounds the radius from above, the dual from below.

    Args:
        points: ``[M, N, F]``.
        steps: At most.

    Returns:
        The squared radius from above, ``[M]``, float64, and whether the two ends are within 1 %.
    """
    x = points.double()
    x = x - x.mean(1, keepdim=True)
    squares = x.square().sum(2)
    first = squares.argmax(1, keepdim=True)
    weight = torch.zeros_like(squares).scatter(1, first, 1.0)
    centre = x.gather(1, first.unsqueeze(2).expand(-1, -1, x.shape[2])).squeeze(1)
    least = torch.full_like(squares[:, 0], float("inf"))
    lower = torch.zeros_like(least)
    for _ in range(steps):
        away = squares - 2 * (x @ centre.unsqueeze(2)).squeeze(2) + centre.square().sum(1, keepdim=True)
        inside = (weight * away).sum(1)  # the dual's value: of the mean, distances weigh as their variance
        farthest, far = away.max(1)
        nearest, near = torch.where(weight > 0, away, float("inf")).min(1)
        least, lower = torch.minimum(least, farthest), torch.maximum(lower, inside)
        if bool((least <= (1 + TOLERANCE) * lower).all()):
            break
        towards = farthest - inside >= inside - nearest
        place = torch.where(towards, far, near)
        length = torch.where(towards, farthest, nearest).clamp(min=torch.finfo(torch.float64).tiny)
        own = weight.gather(1, place.unsqueeze(1)).squeeze(1)
        step = (torch.where(towards, farthest, nearest) - inside) / (2 * length)
        step = torch.where(towards, step, torch.maximum(step, -own / (1 - own).clamp(min=1e-12)))
        step = torch.where(least <= (1 + TOLERANCE) * lower, 0.0, step)  # none depends on its company
        spike = torch.zeros_like(weight).scatter(1, place.unsqueeze(1), 1.0)
        weight = ((1 - step).unsqueeze(1) * weight + step.unsqueeze(1) * spike).clamp(min=0.0)
        chosen = x.gather(1, place[:, None, None].expand(-1, 1, x.shape[2])).squeeze(1)
        centre = (1 - step).unsqueeze(1) * centre + step.unsqueeze(1) * chosen
    return least, least <= (1 + TOLERANCE) * lower.clamp(min=torch.finfo(torch.float64).tiny)
