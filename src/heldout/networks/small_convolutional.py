"""A small convolutional network with batch norm, for images of 8x8 pixels and up."""

from torch import nn

from heldout.catalog import network


@network(source="Network in the style of Lin et al. 2013, shrunk to 8x8 images")
def small_convolutional(*, channels: int = 16, classes: int = 10, inputs: int = 1) -> nn.Module:
    """Two convolutions with batch norm and max pooling, then one dense layer on a 2x2 map.

    Args:
        channels: Of the first convolution; the second has twice as many.
        classes: Outputs.
        inputs: Channels of the images.

    Returns:
        The untrained network.

    Example:
        >>> import torch
        >>> small_convolutional().eval()(torch.zeros(3, 1, 8, 8)).shape
        torch.Size([3, 10])
    """
    return nn.Sequential(
        nn.Conv2d(inputs, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(),
        nn.AdaptiveMaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * channels, classes),
    )
