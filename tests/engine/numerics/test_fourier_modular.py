"""Fourier analysis of modular addition, against plain loops over pairs and outputs."""

import math

import numpy as np
import pytest
import torch
from tests.oracles import modular

from heldout.engine.numerics import fourier_modular as ours

P = 7
RANDOM = np.random.default_rng(4)


def test_participation_of_waves_and_of_noise() -> None:
    rows = RANDOM.standard_normal((3, 10))
    for row, found in zip(rows, ours.participation(torch.from_numpy(rows)), strict=True):
        assert float(found) == pytest.approx(modular.participation_of_row(row), rel=1e-12)
    waves = torch.stack([torch.cos(2 * math.pi * k * torch.arange(97.0).double() / 97 + k) for k in (1, 5, 48)])
    assert ours.participation(waves).tolist() == pytest.approx([1.0] * 3)
    noise = ours.participation(torch.from_numpy(RANDOM.standard_normal((500, 97)))).mean()
    assert 0.03 < float(noise) < 0.05  # 2 / 49 is 0.041


def test_participation_of_a_unit_is_the_mean_of_its_three_vectors() -> None:
    into, out_of = RANDOM.standard_normal((4, 2 * P)), RANDOM.standard_normal((P, 4))
    out_of[:, 3] = 0.0
    found = ours.neuron_participation(torch.from_numpy(into), torch.from_numpy(out_of))
    for unit in range(4):
        parts = [into[unit, :P], into[unit, P:], *([out_of[:, unit]] if unit != 3 else [])]
        assert float(found[unit]) == pytest.approx(sum(map(modular.participation_of_row, parts)) / 3, rel=1e-12)


def test_losses_of_random_logits() -> None:
    grid, train = RANDOM.standard_normal((P, P, P)), RANDOM.random((P, P)) < 0.5
    part = modular.key_part(grid, [1, 3])
    restricted, excluded = ours.restricted_and_excluded(
        torch.from_numpy(grid), torch.from_numpy(train), torch.tensor([1, 3])
    )
    everywhere = np.ones((P, P), dtype=bool)
    kept = part + grid.mean((0, 1))
    assert float(restricted) == pytest.approx(modular.mean_cross_entropy(kept, everywhere), rel=1e-10)
    assert float(excluded) == pytest.approx(modular.mean_cross_entropy(grid - part, train), rel=1e-10)


def test_a_network_that_knows_two_frequencies() -> None:
    a = torch.arange(11)
    shift = (a[:, None, None] + a[None, :, None] - a[None, None, :]).double()
    grid = 9 * torch.cos(2 * math.pi * 2 * shift / 11) + 5 * torch.cos(2 * math.pi * 4 * shift / 11)
    assert ours.key_frequencies(grid, 2).tolist() == [2, 4]
    everything = torch.ones(11, 11, dtype=torch.bool)
    restricted, excluded = ours.restricted_and_excluded(grid, everything, torch.tensor([2, 4]))
    assert float(restricted) == pytest.approx(modular.mean_cross_entropy(grid.numpy(), everything.numpy()), rel=1e-9)
    assert float(excluded) == pytest.approx(math.log(11), rel=1e-9)  # nothing is left: a guess
