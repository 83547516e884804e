"""The profile of a power law with floor, against a search over all three numbers."""

import numpy as np
import pytest
from scipy.optimize import nnls

from heldout.engine.watching.power_law import EXPONENTS, PowerLaw

PLACES = np.array([100.0, 200, 400, 800, 1600])
MEASURED = np.array([0.31, 0.21, 0.19, 0.13, 0.125])
WEIGHTS = np.array([1.0, 2, 4, 2, 3]) * 1e4


def reference(places: np.ndarray, measured: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The least squares over floor and scale, neither negative, for each exponent, by an active-set solver."""
    root = np.sqrt(weights)
    fits = [
        nnls(np.stack([np.ones(len(places)), (places / 100) ** -c], 1) * root[:, None], measured * root)
        for c in EXPONENTS
    ]
    best = min(range(len(fits)), key=lambda place: fits[place][1])
    return fits[best][1] ** 2, np.array([fits[best][0][0], fits[best][0][1] * 100 ** EXPONENTS[best], EXPONENTS[best]])


def test_the_minimum_is_that_of_floor_scale_and_exponent() -> None:
    law = PowerLaw.of(PLACES, MEASURED, WEIGHTS, 3200.0)
    at, squares = law.minimum()
    least, (a, b, c) = reference(PLACES, MEASURED, WEIGHTS)
    assert squares == pytest.approx(least, rel=1e-6)
    assert at == pytest.approx(a + b * 3200**-c, abs=1e-6)
    assert law.law(at, 3200.0) == pytest.approx((a, b, c), rel=1e-3)


def test_the_profile_passes_through_every_law_with_that_value() -> None:
    """For a value at the target, no floor and height do better than the closed form: enumerated on a grid."""
    law = PowerLaw.of(PLACES, MEASURED, WEIGHTS, 3200.0)
    for value in (0.02, 0.1, 0.2):
        rise = (PLACES / 3200) ** -EXPONENTS[:, None, None] - 1
        curves = value + np.append(0, np.geomspace(1e-9, 1, 3000) * value)[:, None] * rise  # exponents, heights, places
        grid = (WEIGHTS * (MEASURED - curves) ** 2).sum(-1).min()
        assert law.squares(np.array([value]))[0] == pytest.approx(grid, rel=1e-2)
        assert law.squares(np.array([value]))[0] <= grid + 1e-9


def test_the_interval_ends_where_the_squares_reach_the_threshold() -> None:
    law = PowerLaw.of(PLACES, MEASURED, WEIGHTS, 3200.0)
    at, squares = law.minimum()
    low, high = law.within(squares + 3.84, at)
    assert low < at < high
    assert law.squares(np.array([low, high])) == pytest.approx([squares + 3.84] * 2, rel=1e-6)
    assert law.within(squares + 1e9, at)[0] == 0.0


def test_a_flat_curve_has_its_mean() -> None:
    at, squares = PowerLaw.of(PLACES, np.full(5, 0.25), WEIGHTS, 3200.0).minimum()
    assert (at, squares) == (pytest.approx(0.25), pytest.approx(0, abs=1e-9))
