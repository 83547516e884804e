"""Optimisers of whole stacks: pure functions of tensors, with one learning rate, momentum and decay for each member."""

from typing import NamedTuple

import torch
from torch import Tensor

from heldout.engine.training.recipe import Recipe

Tensors = dict[str, Tensor]


class Rates(NamedTuple):
    """What a step multiplies with, ``[m]`` each, in the precision of the weights."""

    lr: Tensor
    momentum: Tensor
    weight_decay: Tensor
    taken: Tensor  # steps taken before this one


def slots(recipe: Recipe, parameters: Tensors) -> Tensors:
    """The optimiser's memory at the start: zeros.

    Args:
        recipe: Says which optimiser.
        parameters: Name -> ``[m, ...]``.

    Returns:
        ``velocity/NAME`` of SGD; ``first/NAME`` and ``second/NAME`` of Adam.
    """
    kinds = ("first", "second") if recipe.optimizer in ("adam", "adamw") else ("velocity",)
    return {f"{kind}/{name}": torch.zeros_like(tensor) for name, tensor in parameters.items() for kind in kinds}


def updated(
    recipe: Recipe, parameters: Tensors, gradients: Tensors, memory: Tensors, rates: Rates
) -> tuple[Tensors, Tensors]:
    """One step, as ``torch.optim`` takes it.

    Args:
        recipe: Says which optimiser.
        parameters: Name -> ``[m, ...]``.
        gradients: Likewise.
        memory: As from :func:`slots`.
        rates: Of each member.

    Returns:
        New parameters and new memory; the old ones are left as they are.
    """
    rule = _adam if recipe.optimizer in ("adam", "adamw") else _sgd
    after: Tensors = {}
    kept: Tensors = {}
    for name, weight in parameters.items():
        shaped = Rates(*(rate.to(weight.dtype).view(-1, *[1] * (weight.ndim - 1)) for rate in rates))
        after[name], changed = rule(
            recipe, weight, gradients[name], {k: memory[f"{k}/{name}"] for k in _kinds(memory)}, shaped
        )
        kept |= {f"{kind}/{name}": tensor for kind, tensor in changed.items()}
    return after, kept


def _kinds(memory: Tensors) -> list[str]:
    return sorted({name.partition("/")[0] for name in memory})


def _sgd(recipe: Recipe, weight: Tensor, gradient: Tensor, memory: Tensors, rates: Rates) -> tuple[Tensor, Tensors]:
    gradient = gradient + rates.weight_decay * weight
    velocity = rates.momentum * memory["velocity"] + gradient
    direction = gradient + rates.momentum * velocity if recipe.nesterov else velocity
    return weight - rates.lr * direction, {"velocity": velocity}


def _adam(recipe: Recipe, weight: Tensor, gradient: Tensor, memory: Tensors, rates: Rates) -> tuple[Tensor, Tensors]:
    one, two = recipe.betas
    if recipe.optimizer == "adam":
        gradient = gradient + rates.weight_decay * weight
    else:
        weight = weight * (1 - rates.lr * rates.weight_decay)
    first = memory["first"] * one + gradient * (1 - one)
    second = memory["second"] * two + gradient * gradient * (1 - two)
    count = rates.taken + 1
    unbiased = torch.sqrt(second / (1 - two**count)) + recipe.epsilon
    return weight - rates.lr / (1 - one**count) * first / unbiased, {"first": first, "second": second}
