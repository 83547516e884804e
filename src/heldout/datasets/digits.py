"""Handwritten digits that scikit-learn ships: 1,797 real images of 8x8 pixels."""

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import dataset

Pair = tuple[Tensor, Tensor]


@dataset(source="scikit-learn's digits (UCI optical recognition of handwritten digits, test part)")
def digits(*, train_size: int = 1000, seed: int = 0) -> tuple[Pair, Pair]:
    """The digits, split at random into training and test data.

    Args:
        train_size: Training examples; the rest of the 1,797 is test data.
        seed: Of the split.

    Returns:
        ``(x, y)`` for training and for test; x is ``[N, 1, 8, 8]`` in [0, 1], y ``[N]`` in 0 to 9.

    Example:
        >>> (x, y), (x_test, y_test) = digits()
        >>> x.shape, len(y_test)
        (torch.Size([1000, 1, 8, 8]), 797)
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    x = torch.from_numpy(data.images).float().unsqueeze(1) / 16
    y = torch.from_numpy(data.target).long()
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(y)))
    first, rest = order[:train_size], order[train_size:]
    return (x[first], y[first]), (x[rest], y[rest])
