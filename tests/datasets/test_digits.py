"""The digits, against scikit-learn's own arrays."""

import numpy as np
from sklearn.datasets import load_digits

from heldout.datasets.digits import digits


def test_every_image_stands_in_exactly_one_part() -> None:
    (x, y), (x_test, y_test) = digits(train_size=700, seed=3)
    assert x.shape == (700, 1, 8, 8)
    assert x_test.shape == (1097, 1, 8, 8)
    together = np.concatenate([x.numpy(), x_test.numpy()]).reshape(1797, 64) * 16
    labels = np.concatenate([y.numpy(), y_test.numpy()])
    data = load_digits()
    ours = sorted((tuple(row), int(label)) for row, label in zip(together, labels, strict=True))
    assert ours == sorted((tuple(row), int(label)) for row, label in zip(data.data, data.target, strict=True))


def test_the_split_follows_its_seed() -> None:
    first, again, other = (digits(seed=seed)[0][1] for seed in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(other)
