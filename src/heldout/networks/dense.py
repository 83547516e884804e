"""Fully connected networks."""

from torch import nn

from heldout.catalog import network

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "identity": nn.Identity}


@network(source="Multilayer perceptron (Rosenblatt 1958; Rumelhart, Hinton and Williams 1986)")
def dense(
    *,
    inputs: int = 64,
    widths: tuple[int, ...] = (128,),
    outputs: int = 10,
    activation: str = "relu",
    bias: bool = True,
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> nn.Module:
    """Dense layers with an activation between each two, on inputs that are flattened first.

    Args:
        inputs: Entries of an input.
        widths: Of the hidden layers.
        outputs: Entries of an output.
        activation: ``relu``, ``tanh``, ``gelu`` or ``identity``.
        bias: Whether layers have biases.
        batch_norm: Whether a batch norm stands before each activation.
        dropout: Rate after each activation; no layer where it is 0.

    Returns:
        The untrained network.

    Example:
        >>> import torch
        >>> dense(widths=(32, 16))(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in zip((inputs, *widths), widths, strict=False):
        layers.append(nn.Linear(before, after, bias=bias))
        layers += [nn.BatchNorm1d(after)] if batch_norm else []
        layers.append(ACTIVATIONS[activation]())
        layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear((inputs, *widths)[-1], outputs, bias=bias))
