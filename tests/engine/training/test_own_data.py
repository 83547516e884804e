"""Every member's own data."""

import torch

from heldout.datasets.modular_arithmetic import modular_arithmetic
from heldout.engine.training.own_data import own_data


def test_members_differ_and_do_not_depend_on_how_many_there_are() -> None:
    def make(seed: int):  # type: ignore[no-untyped-def]
        return modular_arithmetic(modulus=7, share=0.4, seed=seed)

    train, test = own_data(make, 4, seed=1)
    fewer, _ = own_data(make, 2, seed=1)
    other, _ = own_data(make, 2, seed=2)
    assert train.x.shape == (4, 20, 14)
    assert test.y.shape == (4, 29)
    assert torch.equal(train.y[:2], fewer.y)
    assert not torch.equal(fewer.y, other.y)
    assert not torch.equal(train.x[0], train.x[1])
    assert train.x_per_member
    assert train.y_per_member
