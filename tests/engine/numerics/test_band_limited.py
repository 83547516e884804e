"""The bits against the published constants and a direct evaluation of the formula with whole numbers."""

import math

import pytest
import torch

from heldout.engine.numerics.band_limited import log_band_limited_bits


def bits(m: float, r: float, delta: float, n: int, c: int, error: float) -> float:
    given = (torch.tensor(number, dtype=torch.float64) for number in (m, r, delta))
    return float(log_band_limited_bits(*given, examples=n, classes=c, error=error).exp())


@pytest.mark.parametrize(
    ("given", "published"),
    [
        # constants and values of the authors' code, two digits as printed
        ((48, 943.59, 65, 1280901, 1000, 0.1), 3.58e41),  # ImageNet
        ((14, 15, 2.3987, 60000, 10, 0.001), 2.3e15),  # MNIST
        ((14, 18, 2.3987, 60000, 10, 0.001), 2.8e16),
        ((27, 50, 2.7506, 50000, 10, 0.01), 2.8e31),  # CIFAR-10
        ((27, 55.4, 2.7506, 50000, 10, 0.01), 4.35e32),
    ],
)
def test_the_numbers_of_the_paper(given: tuple[float, ...], published: float) -> None:
    assert bits(*given) == pytest.approx(published, rel=0.02)  # type: ignore[arg-type]


def test_by_hand_with_whole_degrees() -> None:
    # m = 3, K = 2: F^2 = K (K + m - 1) = 8, so that delta = 2 pi R / sqrt(8)
    m, degree, r, n, c, error = 3, 2, 5.0, 7, 4, 0.05
    coefficients = math.comb(m + degree, m) + math.comb(m + degree - 1, m)
    outputs = c - 1
    near = r * math.sqrt(m / 6) * (2 * math.pi ** ((m + 1) / 2) * c / math.gamma((m + 1) / 2) / n) ** (1 / m)
    slope = degree * math.sqrt(outputs) / r
    expected = outputs * (2 * c * coefficients - n) * math.log2(math.sqrt(outputs * c) * slope * near / error)
    assert bits(m, r, 2 * math.pi * r / math.sqrt(8), n, c, error) == pytest.approx(expected, rel=1e-12)


def test_size_alone_does_not_matter_and_a_smaller_error_costs_more() -> None:
    assert bits(5, 30, 2, 100, 3, 0.1) == pytest.approx(bits(5, 3, 0.2, 100, 3, 0.1), rel=1e-9)
    assert bits(5, 3, 0.2, 100, 3, 0.01) > bits(5, 3, 0.2, 100, 3, 0.1) > bits(5, 3, 0.4, 100, 3, 0.1)


def test_numbers_beyond_float64_stay_finite_in_the_log_domain() -> None:
    given = (torch.tensor(number, dtype=torch.float64) for number in (400.0, 900.0, 1.0))
    assert 700 < float(log_band_limited_bits(*given, examples=1000, classes=10, error=0.1)) < math.inf


def test_where_nothing_is_asked_for_there_is_no_number() -> None:
    assert math.isnan(bits(1, 1, 2 * math.pi, 100, 2, 0.1))  # 16 coefficients and 100 examples
    assert math.isnan(bits(3, 5, 10, 7, 4, 1e6))
