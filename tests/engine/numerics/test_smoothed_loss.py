"""Smoothed log-loss: the ranges of the digest, the ends, scaling outward, refusals."""

import math

import numpy as np
import pytest

from heldout.engine.numerics.smoothed_loss import SHARE_BITS, SHARES, from_unit, smoothed_bits, span, to_unit
from heldout.records import Refusal


@pytest.mark.parametrize(("share", "printed"), [(1e-4, 28.9), (0.01, 22.2), (0.1, 18.8), (0.5, 15.6)])
def test_the_ranges_of_the_digest(share: float, printed: float) -> None:
    low, high = span(share, 50257)
    assert high - low == pytest.approx(printed, abs=0.05)
    assert high - low == pytest.approx(math.log2(1 + (1 - share) * 50257 / share), rel=1e-12)


def test_guessing_costs_the_logarithm_of_the_vocabulary() -> None:
    for share in SHARES:
        assert smoothed_bits(math.log(1 / 37), share, 37) == pytest.approx(math.log2(37), rel=1e-12)


def test_its_ends_are_certainty_and_impossibility() -> None:
    low, high = span(0.25, 10)
    assert smoothed_bits([0.0, -np.inf], 0.25, 10).tolist() == pytest.approx([-math.log2(0.775), math.log2(40)])
    assert low <= smoothed_bits(1e-7, 0.25, 10) <= smoothed_bits(-1e4, 0.25, 10) <= high


def test_there_and_back_is_never_below() -> None:
    bits = np.random.default_rng(0).uniform(*span(0.05, 256), size=1000)
    again = from_unit(to_unit(bits, 0.05, 256), 0.05, 256)
    assert (again >= bits * (1 - 1e-15)).all()
    np.testing.assert_allclose(again, bits, rtol=1e-12)


def test_the_grid_takes_its_bits() -> None:
    assert len(SHARES) == 2**SHARE_BITS


@pytest.mark.parametrize(
    ("share", "vocabulary", "named"), [(0.0, 9, "smoothing"), (1.0, 9, "smoothing"), (0.1, 1, "vocabulary")]
)
def test_what_has_no_range_is_refused(share: float, vocabulary: int, named: str) -> None:
    with pytest.raises(Refusal, match=named):
        span(share, vocabulary)
