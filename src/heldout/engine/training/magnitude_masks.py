"""Masks that keep the largest weights of each layer, for a whole population."""

from collections.abc import Mapping

import torch
from torch import Tensor

from heldout.engine.population import Population
from heldout.records import Refusal

Tensors = dict[str, Tensor]


def magnitude_masks(
    weights: Mapping[str, Tensor], removed: Tensor | float, masks: Mapping[str, Tensor] | None = None
) -> Tensors:
    """Masks without the smallest magnitudes of each layer; what was already out stays out.

    Args:
        weights: Parameter's name -> ``[M, ...]``.
        removed: Share, of what is still in, that goes: one, or one a member ``[M]``; a layer loses the nearest whole number.
        masks: What is still in, likewise; everything unless given.

    Returns:
        Parameter's name -> zeros and ones of the weights' shapes, bool.

    Raises:
        Refusal: If a share is not in [0, 1].

    Example:
        >>> magnitude_masks({"w": torch.tensor([[3.0, -1.0, 2.0, -4.0]])}, 0.5)["w"].tolist()
        [[True, False, False, True]]
    """
    shares = torch.as_tensor(removed, dtype=torch.float64)
    if not bool(((shares >= 0) & (shares <= 1)).all()):
        raise Refusal(given=f"removed was {removed}", expected="shares from 0 to 1", do="pass removed=0.2")
    kept = {}
    for name, weight in weights.items():
        flat = weight.detach().abs().flatten(1).double()
        inside = masks[name].flatten(1).bool() if masks else torch.ones_like(flat, dtype=torch.bool)
        left = inside.sum(1)
        count = left - (shares.to(flat.device) * left).round().long()  # how many stay
        order = flat.where(inside, -1.0).argsort(dim=1, descending=True, stable=True)
        places = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
        ranks = torch.empty_like(order).scatter_(1, order, places)
        kept[name] = (ranks < count[:, None]).view(weight.shape)
    return kept


def masked(population: Population, masks: Mapping[str, Tensor]) -> Population:
    """The networks with what is masked set to zero, so that masks hold from the first step of a training on.

    Args:
        population: M networks.
        masks: Parameter's name -> ``[M, ...]``.

    Returns:
        The networks; parameters that are not named are left as they are.
    """
    pruned = {name: population.parameters[name] * mask for name, mask in masks.items()}
    return population.with_tensors({**population.parameters, **pruned}, population.buffers)
