"""Effective ranks against closed forms and against their definition in exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from heldout.engine.numerics.effective_ranks import benign_index, effective_ranks, variance_order
from heldout.records import Refusal


@pytest.mark.parametrize("size", [1, 2, 7])
def test_equal_values_count_themselves(size: int) -> None:
    r, rank = effective_ranks(np.full(size, 0.3))
    assert r == pytest.approx(np.arange(size, 0, -1))
    assert rank == pytest.approx(np.arange(size, 0, -1))


def test_a_long_geometric_spectrum_has_the_same_ranks_everywhere() -> None:
    """With ratio q: r = 1 / (1 - q) and R = (1 + q) / (1 - q), at every k far from the end."""
    r, rank = effective_ranks(0.5 ** np.arange(200))
    assert r[:100] == pytest.approx(np.full(100, 2.0), rel=1e-12)
    assert rank[:100] == pytest.approx(np.full(100, 3.0), rel=1e-12)


def test_the_definition_in_fractions_in_any_order() -> None:
    values = [Fraction(n) for n in (3, 1, 4, 1, 5, 9, 2, 6)]
    ordered = sorted(values, reverse=True)
    r, rank = effective_ranks([float(value) for value in values])
    for k in range(8):
        rest = ordered[k:]
        assert r[k] == pytest.approx(float(sum(rest) / rest[0]), rel=1e-14)
        assert rank[k] == pytest.approx(float(sum(rest) ** 2 / sum(v * v for v in rest)), rel=1e-14)


def test_the_inequalities_of_lemma_5() -> None:
    r, rank = effective_ranks(np.random.default_rng(0).exponential(size=300))
    assert (r >= 1).all()
    assert (rank >= r * (1 - 1e-12)).all()
    assert (rank <= r**2 * (1 + 1e-12)).all()


def test_inverse_squares_have_nearly_as_many_leading_directions_as_examples() -> None:
    """r_k = (k+1)^2 sum_{i>k} i^-2 is close to k + 1 + 1/2, so k* is close to n."""
    spectrum = np.arange(1, 200001) ** -2.0
    assert abs(benign_index(spectrum, 100) - 100) <= 1
    assert abs(benign_index(spectrum, 100, b=0.5) - 50) <= 1


def test_spikes_over_a_flat_tail() -> None:
    spectrum = [*[1.0] * 5, *[0.01] * 4000]
    assert benign_index(spectrum, 50) == 5  # r_0 = 5 + 40 < 50, r_5 = 4000
    assert benign_index(spectrum, 40) == 0
    assert variance_order(spectrum, 50) == pytest.approx(5 / 50 + 50 / 4000)
    assert variance_order(spectrum, 50, b=0.5) == pytest.approx(50 * 5.4 / 45**2)  # k* = 0: R_0 = 45^2 / (5 + .4)


def test_no_index_means_no_order() -> None:
    assert benign_index([2.0, 1.0], 3) == 2
    assert math.isinf(variance_order([2.0, 1.0], 3))


@pytest.mark.parametrize("spectrum", [[], [1.0, 0.0], [1.0, -1.0], [np.inf], [np.nan], [[1.0]], 1.0])
def test_what_is_no_spectrum_is_refused(spectrum: object) -> None:
    with pytest.raises(Refusal, match="spectrum"):
        effective_ranks(spectrum)
