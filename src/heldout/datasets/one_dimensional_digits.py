"""MNIST-1D: ten one-dimensional shapes, padded, scaled, shifted, sheared and with noise on them; generated, not downloaded."""

import random

import numpy as np
import torch
from torch import Tensor

from heldout.catalog import dataset

Pair = tuple[Tensor, Tensor]


@dataset(source="Greydanus and Kobak 2024, the mnist1d package's generator")
def one_dimensional_digits(*, train_size: int = 4000, test_size: int = 1000, seed: int = 42) -> tuple[Pair, Pair]:
    """MNIST-1D with its published settings, of any size.

    Args:
        train_size: Training examples.
        test_size: Test examples.
        seed: Of the generator; 42 with 4,000 and 1,000 examples is the published set.

    Returns:
        ``(x, y)`` for training and for test; x is ``[N, 40]``, standardised, y ``[N]`` in 0 to 9.

    Example:
        >>> (x, y), (x_test, y_test) = one_dimensional_digits(train_size=60, test_size=40)
        >>> x.shape, y_test.shape
        (torch.Size([60, 40]), torch.Size([40]))
    """
    from mnist1d.data import get_dataset_args, make_dataset

    settings = get_dataset_args()
    total = train_size + test_size
    settings.num_samples = -(-total // 10) * 10  # the generator makes as many of each class
    settings.train_split, settings.seed = 1.0, seed
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        made = make_dataset(settings)  # seeds the global streams
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])
    x, y = torch.from_numpy(made["x"]).float(), torch.from_numpy(made["y"]).long()
    return (x[:train_size], y[:train_size]), (x[train_size:total], y[train_size:total])
