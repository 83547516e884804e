"""Augmentation: each change against a loop over examples, its randomness, and what is refused."""

import pytest
import torch
from tests.interventions.steps import X, Y, goes_through

from heldout.engine.training.counting import keys, normal, uniform
from heldout.interventions.augmentation import augmentation, moved
from heldout.records import Refusal

ALL = augmentation(shift=2, flip=True, noise=0.1, transform=lambda x, draws: x * (0.5 + draws[:, None]))
KEY = keys(7, torch.tensor([0]), 3)[0]


def by_hand(x: torch.Tensor, offsets: list[int], axis: int) -> torch.Tensor:
    out = torch.zeros_like(x)
    for number, offset in enumerate(offsets):
        for place in range(x.shape[axis]):
            if 0 <= place - offset < x.shape[axis]:
                out[number].select(axis, place)[...] = x[number].select(axis, place - offset)
    return out


@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize("shape", [(5, 2, 4, 6), (5, 3, 7)])
def test_examples_are_moved_and_zeros_come_in(shape: tuple[int, ...], axis: int) -> None:
    x, offsets = torch.randn(shape), [0, 1, -2, 3, -9]
    assert torch.equal(moved(x, torch.tensor(offsets), axis), by_hand(x, offsets, axis))


def test_images_move_both_ways_and_others_along_their_last_axis() -> None:
    x, y = torch.randn(40, 1, 5, 5), torch.arange(40)
    changed, labels = augmentation(shift=2).batch(x, y, KEY)
    right, down = ((uniform(KEY, (40,), 700_001 + place) * 5).floor().long() - 2 for place in (0, 1))
    assert torch.equal(changed, moved(moved(x, right, -1), down, -2))
    assert set(right.tolist()) == {-2, -1, 0, 1, 2}
    assert labels is y
    flat, _ = augmentation(shift=2).batch(x.flatten(1), y, KEY)
    assert torch.equal(flat, moved(x.flatten(1), right, -1))


def test_half_are_mirrored_and_noise_is_standard_normal() -> None:
    x, y = torch.randn(4000, 1, 6), torch.zeros(4000)
    mirrored = (augmentation(flip=True).batch(x, y, KEY)[0] != x).any(-1).flatten()  # type: ignore[union-attr]
    assert abs(int(mirrored.sum()) - 2000) < 5.5 * 1000**0.5  # below 1e-7
    assert torch.equal(augmentation(flip=True).batch(x, y, KEY)[0][mirrored], x[mirrored].flip(-1))  # type: ignore[index]
    noisy, _ = augmentation(noise=0.5).batch(x, y, KEY)
    torch.testing.assert_close(noisy, x + 0.5 * normal(KEY, (4000, 1, 6), 700_021))


def test_your_own_transform_gets_a_number_for_each_example_and_whole_numbers_stay() -> None:
    x, y = torch.zeros(8, 3), torch.zeros(8)
    own = augmentation(transform=lambda x, draws: x + draws[:, None])
    changed, _ = own.batch({"inputs": x, "tokens": torch.arange(8)}, y, KEY)
    assert torch.equal(changed["inputs"], uniform(KEY, (8,), 700_031)[:, None].expand(8, 3))  # type: ignore[call-overload, index]
    assert torch.equal(changed["tokens"], torch.arange(8))  # type: ignore[call-overload, index]


def test_it_goes_through() -> None:
    assert X.shape[1] == 6
    assert len(Y) == 36
    goes_through(ALL, compiled=False)


@pytest.mark.slow
def test_it_goes_through_compiled() -> None:
    goes_through(ALL)


@pytest.mark.parametrize("wrong", [{}, {"shift": -1}, {"shift": 0.5}, {"noise": -0.1}])
def test_what_cannot_be_done_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="augmentation"):
        augmentation(**wrong)  # type: ignore[arg-type]
