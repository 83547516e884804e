"""Signal propagation: closed forms, the published values for tanh, and wide networks themselves."""

import numpy as np
import pytest
from scipy import integrate, stats

from heldout.engine.numerics.signal_propagation import chi, depth_scale, fixed_length, gaussian_mean, next_length

PUBLISHED = {0.5: 0.248, 0.9: 0.791, 1.0: 0.934, 1.1: 0.992, 1.3: 1.059, 1.5: 1.137, 2.0: 1.362}


def slope(z: np.ndarray) -> np.ndarray:
    return 1 - np.tanh(z) ** 2


def test_quadrature_is_the_integral() -> None:
    for variance in (0.01, 1.0, 9.0):

        def integrand(z: float, v: float = variance) -> float:
            return float(np.tanh(np.sqrt(v) * z) ** 2 * stats.norm.pdf(z))

        exact = integrate.quad(integrand, -12, 12, epsabs=1e-12)[0]
        assert gaussian_mean(lambda z: np.tanh(z) ** 2, variance) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("sigma", list(PUBLISHED))
def test_chi_of_tanh_is_what_was_seen(sigma: float) -> None:
    """Values of an independent run at sigma_b = 0.05, rounded to three digits."""
    assert chi(sigma**2, 0.05**2, np.tanh, slope) == pytest.approx(PUBLISHED[sigma], abs=1e-3)


def test_the_fixed_length_stays_and_is_reached() -> None:
    q = fixed_length(2.25, 0.0025, np.tanh)
    assert next_length(q, 2.25, 0.0025, np.tanh) == pytest.approx(q, rel=1e-10)
    length = 5.0
    for _ in range(300):
        length = next_length(length, 2.25, 0.0025, np.tanh)
    assert length == pytest.approx(q, rel=1e-8)


def test_relu_keeps_lengths_at_a_weight_variance_of_two() -> None:
    assert next_length(3.7, 2.0, 0.0, lambda z: np.maximum(z, 0)) == pytest.approx(3.7, rel=1e-9)
    assert next_length(3.7, 1.0, 0.0, lambda z: np.maximum(z, 0)) == pytest.approx(1.85, rel=1e-9)


def test_depth_scales() -> None:
    assert depth_scale(np.exp(-0.1)) == pytest.approx(10)
    assert depth_scale(np.exp(0.1)) == pytest.approx(10)
    assert depth_scale(1.0) == float("inf")
