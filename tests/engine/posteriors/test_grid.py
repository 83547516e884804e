"""The grid of prior variances: what is near, and that the union bound over it is paid for."""

import math

import numpy as np
import pytest
import torch

from heldout.engine.posteriors import on_grid, price
from heldout.engine.posteriors.grid import smooth_price, variance_at


def test_the_weights_of_the_union_bound_add_up_to_one() -> None:
    places = torch.arange(1, 200_001, dtype=torch.float64)
    assert (-price(places)).exp().sum().item() == pytest.approx(1.0, abs=4e-6)  # the rest of the series is 3e-6


def test_the_nearest_place_by_trying_all() -> None:
    grid = 0.1 * np.exp(-np.arange(1, 3001) / 100)
    for variance in (0.07, 1e-3, 3.3e-7):
        nearest = 1 + int(np.abs(np.log(grid) - math.log(variance)).argmin())
        place = on_grid(torch.tensor([variance], dtype=torch.float64))
        assert place.item() == nearest
        assert variance_at(place).item() == pytest.approx(grid[nearest - 1], rel=1e-12)
    assert on_grid(torch.tensor([5.0])).item() == 1.0  # no variance above the grid


def test_the_smooth_price_is_the_price_on_the_grid() -> None:
    places = torch.tensor([1.0, 2.0, 470.0], dtype=torch.float64)
    assert smooth_price(variance_at(places)).tolist() == pytest.approx(price(places).tolist(), abs=1e-9)
    assert price(torch.tensor([1.0])).item() == pytest.approx(math.log(math.pi**2 / 6))
