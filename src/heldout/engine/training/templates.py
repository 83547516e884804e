"""The architecture as it is trained: dropout that counts, batch norm in its mode, interventions applied."""

import copy

import torch
from torch import Tensor, nn

from heldout.engine.training.counting import uniform
from heldout.engine.training.recipe import Recipe
from heldout.records import Refusal

_WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class CountedDropout(nn.Module):
    """Dropout whose mask derives from a key, so that a member drops the same units in a population of any size.

    Args:
        rate: Share that is dropped.
        purpose: The layer's place in the network.
        whole_channels: Whether channels are dropped whole.
    """

    key: Tensor

    def __init__(self, rate: float, purpose: int, whole_channels: bool) -> None:
        super().__init__()
        self.rate, self.purpose, self.whole_channels = rate, purpose, whole_channels
        self.register_buffer("key", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """Drop and rescale.

        Args:
            x: ``[B, ...]``.

        Returns:
            Of the same shape.
        """
        shape = x.shape[:2] + (1,) * (x.ndim - 2) if self.whole_channels else x.shape
        kept = uniform(self.key, tuple(shape), self.purpose) >= self.rate
        return x * kept / (1 - self.rate)


def training_template(network: nn.Module, recipe: Recipe) -> nn.Module:
    """A copy of the network in training mode, ready to be called with every member's tensors.

    Args:
        network: Of the population; not changed.
        recipe: Says dropout, batch norm and interventions.

    Returns:
        The copy. Its dropout layers have a buffer ``key`` each.

    Raises:
        _untied: A refusal, if a layer draws random numbers that cannot be tied to a member.
    """
    template = copy.deepcopy(network)
    for piece in recipe.interventions:
        template = piece.network(template)
    template.train()
    for place, (name, layer) in enumerate(list(template.named_modules())):
        if isinstance(layer, (nn.Dropout, *_WHOLE_CHANNELS)):
            rate = layer.p if recipe.dropout is None else recipe.dropout
            counted = CountedDropout(rate, 1000 + place, isinstance(layer, _WHOLE_CHANNELS))
            template = _replaced(template, name, counted.to(_device(network)) if rate > 0 else nn.Identity())
        elif isinstance(layer, nn.RNNBase) and layer.dropout > 0:
            raise _untied(name, layer, "set dropout=0 in it and put nn.Dropout between layers of one each")
        elif isinstance(layer, nn.MultiheadAttention) and layer.dropout > 0:
            raise _untied(name, layer, "set its dropout to 0 and use nn.Dropout on its output")
        elif isinstance(layer, (nn.AlphaDropout, nn.FeatureAlphaDropout)) and layer.p > 0:
            raise _untied(name, layer, "use nn.Dropout")
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm) and recipe.batch_norm == "frozen":
            layer.eval()
    return template


def key_names(template: nn.Module) -> list[str]:
    """Names of the buffers that hold dropout keys.

    Args:
        template: As from :func:`training_template`.

    Returns:
        Such as ``["body.2.key"]``.
    """
    return [f"{name}.key" if name else "key" for name, m in template.named_modules() if isinstance(m, CountedDropout)]


def _replaced(template: nn.Module, name: str, layer: nn.Module) -> nn.Module:
    if not name:
        return layer
    parent, _, child = name.rpartition(".")
    setattr(template.get_submodule(parent), child, layer)
    return template


def _device(network: nn.Module) -> torch.device:
    return next(iter(network.parameters())).device


def _untied(name: str, layer: nn.Module, do: str) -> Refusal:
    return Refusal(
        given=f"layer '{name}' ({type(layer).__name__}) drops out inside a fused kernel",
        expected="dropout in layers of its own, so that each member's mask derives from its seed",
        do=do,
    )
