"""Thermodynamic integration against the closed form of the quadratic law (test vectors T1 and T10)."""

import math

import numpy as np
import pytest
from tests.oracles.posteriors import PRECISIONS

from heldout.engine.sampling.convergence import monte_carlo_error
from heldout.posterior.free_energy import free_energy


def ladder(rungs: int, first: float = 0.02, last: float = 1000.0) -> tuple[np.ndarray, list[np.ndarray]]:
    """Exact draws of ``K = 1/2 sum h w^2`` at each temperature, prior ``N(0, I)``."""
    generator, h = np.random.default_rng(0), np.array(PRECISIONS)
    t = np.geomspace(first, last, rungs)
    w = generator.normal(size=(rungs, 8, 1000, 5)) / np.sqrt(1 + t[:, None, None, None] * h)
    return t, list(0.5 * (h * w**2).sum(3))


@pytest.mark.parametrize("rungs", [10, 16])
def test_the_free_energy_of_the_quadratic_law(rungs: int) -> None:
    """``1/2 sum ln(1 + n h / gamma) = 11.566155``: within 5 standard errors and a hundredth of quadrature."""
    assert 0.5 * np.log1p(1000 * np.array(PRECISIONS)).sum() == pytest.approx(11.566155, abs=1e-6)
    t, excess = ladder(rungs)
    value, influences = free_energy(t, excess)
    error = math.sqrt(sum(monte_carlo_error(each) ** 2 for each in influences))
    assert abs(value - 11.566155) < 5 * error + 0.05
    assert error < 0.2


def test_the_influences_are_derivatives() -> None:
    t, excess = ladder(8)
    value, influences = free_energy(t, excess)
    moved = [each.copy() for each in excess]
    moved[3] = np.concatenate([excess[3].ravel(), excess[3][0, :1]])[None]
    difference = (free_energy(t, moved)[0] - value) * moved[3].size
    assert difference == pytest.approx(influences[3][0, 0], rel=0.02, abs=0.01)


def test_a_ladder_that_begins_too_high_is_refused() -> None:
    t, excess = ladder(8, first=10.0)
    assert math.isnan(free_energy(t, excess)[0])
