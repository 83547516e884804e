"""Noisy codes: linear Gaussian encoders and mixtures, of which the information is known."""

import math

import numpy as np
import pytest

from heldout.engine.numerics.noisy_codes import noisy_code_information


@pytest.mark.parametrize(("noise", "gain"), [(1.0, 1.0), (0.5, 0.6), (2.0, 1.5)])
def test_a_linear_gaussian_encoder_lies_between(noise: float, gain: float) -> None:
    generator, n, d = np.random.default_rng(1), 1500, 2
    codes = gain * generator.normal(size=(n, d))
    lower, upper = noisy_code_information(codes, noise, generator.normal(size=(n, d)), references=1500)
    truth = d / 2 * math.log(1 + (gain / noise) ** 2)
    error = 5 * lower.std() / math.sqrt(n)
    assert lower.mean() < truth + error
    assert upper.mean() > truth - error
    assert (lower.mean() + upper.mean()) / 2 == pytest.approx(truth, abs=error + 0.02)


def test_a_mixture_of_two_points_is_one_bit_at_most() -> None:
    generator = np.random.default_rng(2)
    codes = np.repeat([[-1.0], [1.0]], 400, 0)[generator.permutation(800)]
    xi = generator.normal(size=(800, 1))
    lower, _ = noisy_code_information(codes, 0.2, xi, references=800)
    assert lower.mean() == pytest.approx(math.log(2), abs=0.02)
    # at noise 1: the Gaussian channel with a binary input, ln 2 - E ln(1 + e^{-2 (1 + z)})
    z = np.linspace(-8, 8, 200_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    truth = math.log(2) - float((density * np.log1p(np.exp(-2 * (1 + z)))).sum() * (z[1] - z[0]))
    found, above = noisy_code_information(codes, 1.0, xi, references=800)
    assert found.mean() == pytest.approx(truth, abs=5 * found.std() / math.sqrt(800))
    assert above.mean() >= found.mean()


def test_fewer_references_have_a_lower_ceiling() -> None:
    generator = np.random.default_rng(3)
    codes, xi = 100 * generator.normal(size=(60, 3)), generator.normal(size=(60, 3))
    for references in (5, 20, 1000):
        lower, upper = noisy_code_information(codes, 1.0, xi, references=references)
        assert lower.mean() == pytest.approx(math.log(min(references, 60)), abs=1e-6)
        assert (upper > lower).all()


def test_codes_that_never_vary_keep_nothing() -> None:
    lower, upper = noisy_code_information(np.ones((10, 2)), 0.3, np.random.default_rng(4).normal(size=(10, 2)))
    assert lower == pytest.approx(np.zeros(10), abs=1e-12)
    assert upper == pytest.approx(np.zeros(10), abs=1e-12)
