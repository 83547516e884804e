"""Digits under random affine maps."""

import pytest
import torch

from heldout.datasets.transformed_digits import transformed_digits

STILL = {"turn": 0.0, "scale": 0.0, "shift": 0.0, "noise": 0.0}


def originals() -> torch.Tensor:
    from sklearn.datasets import load_digits

    return torch.from_numpy(load_digits().images).float() / 16


def test_without_map_and_noise_they_are_the_digits() -> None:
    (x, _), _ = transformed_digits(train_size=50, test_size=1, **STILL)
    nearest = torch.cdist(x.flatten(1), originals().flatten(1)).amin(1)
    assert nearest.max() < 1e-5


def test_a_quarter_turn_is_the_rotated_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch, "rand", lambda size, *shape, generator: torch.ones(size, *shape)
    )  # every map at its most
    settings = {**STILL, "turn": 90.0}
    (x, _), _ = transformed_digits(train_size=6, test_size=1, **settings)
    turned = torch.stack([torch.rot90(digit, k) for digit in originals() for k in (1, 3)])
    distance = torch.cdist(x.flatten(1), turned.flatten(1))
    assert distance.amin(1).max() < 1e-4
    assert len(set((distance.argmin(1) % 2).tolist())) == 1  # all of them the same way round


def test_a_move_of_one_pixel_takes_the_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda size, *shape, generator: torch.ones(size, *shape))
    (x, _), _ = transformed_digits(train_size=6, test_size=1, **{**STILL, "shift": 1.0})
    moved = torch.zeros_like(originals())
    moved[:, :-1, :-1] = originals()[:, 1:, 1:]
    assert torch.cdist(x.flatten(1), moved.flatten(1)).amin(1).max() < 1e-4


def test_noise_has_its_deviation_and_sizes_do_not_move_the_other_part() -> None:
    (x, y), (x_test, _) = transformed_digits(train_size=400, test_size=30, **{**STILL, "noise": 0.3}, seed=1)
    (clean, same), _ = transformed_digits(train_size=400, test_size=30, **STILL, seed=1)
    assert torch.equal(y, same)
    deviation = (x - clean).std().item()
    assert abs(deviation - 0.3) < 6 * 0.3 / (2 * x.numel()) ** 0.5  # six standard errors: 2e-9
    assert torch.equal(x_test, transformed_digits(train_size=7, test_size=30, **{**STILL, "noise": 0.3}, seed=1)[1][0])


def test_seeds_differ_and_repeat() -> None:
    first, again, other = (transformed_digits(train_size=20, test_size=5, seed=seed)[0][0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
