"""Fully connected networks."""

import torch
from torch import nn

from heldout.networks.dense import dense


def test_layers_stand_in_order() -> None:
    network = dense(inputs=6, widths=(5, 4), outputs=3, activation="tanh", batch_norm=True, dropout=0.2, bias=False)
    kinds = [type(layer) for layer in network]  # type: ignore[arg-type]
    block = [nn.Linear, nn.BatchNorm1d, nn.Tanh, nn.Dropout]
    assert kinds == [nn.Flatten, *block, *block, nn.Linear]
    assert [tuple(p.shape) for n, p in network.named_parameters() if n.endswith("weight") and p.ndim == 2] == [
        (5, 6),
        (4, 5),
        (3, 4),
    ]
    assert not any(layer.bias is not None for layer in network.modules() if isinstance(layer, nn.Linear))


def test_no_hidden_layer_is_a_linear_map() -> None:
    network = dense(inputs=4, widths=(), outputs=2)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(network(2 * x) - network(x), network(x) - network(0 * x), atol=1e-6)


def test_identity_is_linear_however_deep() -> None:
    network = dense(inputs=4, widths=(8, 8), outputs=2, activation="identity")
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(network(2 * x) - network(x), network(x) - network(0 * x), atol=1e-5)
