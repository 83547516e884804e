"""Layers that compute something else in training mode."""

from collections.abc import Sequence

from torch import nn

from heldout.engine.population import Population

MODAL = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "BatchNorm", "SyncBatchNorm", "InstanceNorm")


def train_mode_layers(networks: nn.Module | Sequence[nn.Module] | Population) -> tuple[str, ...]:
    """Names and kinds of the layers that were handed over in training mode and mind it.

    A dropout of rate 0 does not; recurrent layers mind when they drop out between layers.

    Args:
        networks: What the user gave.

    Returns:
        Such as ``("body.1 (BatchNorm2d)",)``; empty for a population, which is in evaluation mode by construction.
    """
    if isinstance(networks, Population):
        return ()
    modules = [networks] if isinstance(networks, nn.Module) else list(networks)
    found = []
    for module in modules:
        for name, layer in module.named_modules():
            kind = type(layer).__name__
            drops = kind.startswith(MODAL) and getattr(layer, "p", 1.0) > 0
            drops = drops or (isinstance(layer, nn.RNNBase) and layer.dropout > 0)
            if layer.training and drops:
                found.append(f"{name or 'the network'} ({kind})")
    return tuple(dict.fromkeys(found))
