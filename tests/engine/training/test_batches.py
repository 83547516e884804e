"""Epochs without replacement, derived from (seed, order, epoch) and from nothing else."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.engine.training import Recipe
from heldout.engine.training.batches import Batches
from heldout.records import Refusal


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 30), st.integers(1, 30))
def test_however_the_steps_are_cut_the_batches_are_the_same(total: int, size: int, first: int, count: int) -> None:
    if size > total:
        with pytest.raises(Refusal):
            Batches.of(Recipe(batch_size=size), total, 0)
        return
    batches = Batches.of(Recipe(batch_size=size), total, 5)
    whole = batches.at([3, 8], [3, 8], 0, first + count)
    assert torch.equal(batches.at([3, 8], [3, 8], first, first + count), whole[first:])
    assert torch.equal(batches.at([8], [8], 0, first + count)[:, 0], whole[:, 1])


def test_an_epoch_holds_each_example_once() -> None:
    batches = Batches.of(Recipe(batch_size=5), 20, 1)
    epochs = batches.at([0], [0], 0, 8)[:, 0].reshape(2, 20)
    assert all(sorted(epoch.tolist()) == list(range(20)) for epoch in epochs)
    assert not torch.equal(epochs[0], epochs[1])


def test_an_order_may_be_shared_and_seeds_differ() -> None:
    batches = Batches.of(Recipe(batch_size=5), 20, 1)
    shared = batches.at([0, 0], [4, 9], 0, 3)
    assert torch.equal(shared[:, 0], shared[:, 1])
    assert not torch.equal(shared, Batches.of(Recipe(batch_size=5), 20, 2).at([0, 0], [4, 9], 0, 3))


def test_a_subset_is_each_member_s_own_and_never_left() -> None:
    batches = Batches.of(Recipe(batch_size=5, subset=10), 200, 1)
    drawn = batches.at([4, 9], [4, 9], 0, 6)
    for place, member in enumerate((4, 9)):
        assert set(drawn[:, place].flatten().tolist()) == set(batches.seen(member).tolist())
    assert set(batches.seen(4).tolist()) != set(batches.seen(9).tolist())
