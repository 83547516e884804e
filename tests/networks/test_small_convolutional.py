"""The small convolutional network takes the sizes it says it takes."""

import pytest
import torch

from heldout.networks.small_convolutional import small_convolutional


@pytest.mark.parametrize(("channels", "classes", "inputs", "size"), [(16, 10, 1, 8), (4, 3, 3, 12)])
def test_shapes(channels: int, classes: int, inputs: int, size: int) -> None:
    network = small_convolutional(channels=channels, classes=classes, inputs=inputs).eval()
    assert network(torch.zeros(5, inputs, size, size)).shape == (5, classes)
    count = sum(parameter.numel() for parameter in network.parameters())
    convolutions = inputs * channels * 9 + channels * 2 * channels * 9
    assert count == convolutions + 2 * (channels + 2 * channels) + 8 * channels * classes + classes
