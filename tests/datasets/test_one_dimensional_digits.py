"""MNIST-1D."""

import numpy as np
import torch
from mnist1d.data import get_dataset_args, make_dataset

from heldout.datasets.one_dimensional_digits import one_dimensional_digits


def test_with_its_published_settings_it_is_the_package_s_set() -> None:
    published = make_dataset(get_dataset_args())
    (x, y), (x_test, y_test) = one_dimensional_digits()
    assert np.allclose(x.numpy(), published["x"], atol=1e-6)
    assert np.array_equal(y.numpy(), published["y"])
    assert np.allclose(x_test.numpy(), published["x_test"], atol=1e-6)
    assert np.array_equal(y_test.numpy(), published["y_test"])


def test_global_streams_are_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one_dimensional_digits(train_size=20, test_size=10)
    assert torch.equal(before, torch.get_rng_state())


def test_sizes_and_seed() -> None:
    (x, y), (x_test, _) = one_dimensional_digits(train_size=33, test_size=12, seed=1)
    assert x.shape == (33, 40)
    assert y.shape == (33,)
    assert x_test.shape == (12, 40)
    assert not torch.equal(x, one_dimensional_digits(train_size=33, test_size=12, seed=2)[0][0])
