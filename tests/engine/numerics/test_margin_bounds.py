"""The margin template: the best level, typed again."""

import math

import numpy as np
import pytest

from heldout.engine.numerics.margin_bounds import LARGEST, MarginShares, margin_upper, shortfall


def test_the_best_level_at_its_price() -> None:
    shares = MarginShares(np.array([-2.0, 0.0, 4.0]), np.array([[0.0, 0.1, 0.8], [0.5, 0.5, 0.5]]), 1000)
    value, margin = margin_upper(shares, np.log([0.05, 0.5]), np.array([3.0, 3.0]), math.log(0.1), extra=0.01)
    for row, complexity in enumerate((0.05, 0.5)):
        each = []
        for level, share in zip((-2, 0, 4), shares.shares[row], strict=True):
            paid = math.log(20) + 3 + math.log((math.pi**2 / 3 - 1) * (abs(level) + 1) ** 2)
            each.append(share + 2 * complexity / math.sqrt(2) ** level + 0.02 + 3 * math.sqrt(paid / 2000))
        assert value[row] == pytest.approx(min(each))
        assert margin[row] == pytest.approx(math.sqrt(2) ** (-2, 0, 4)[int(np.argmin(each))])


def test_products_of_norms_do_not_overflow() -> None:
    shares = MarginShares(np.array([0.0]), np.array([[0.0]]), 10)
    value, _ = margin_upper(shares, np.array([1e6]), np.zeros(1), -3.0)
    assert value[0] == LARGEST


def test_by_what_factor_margins_fall_short() -> None:
    shares = MarginShares(np.array([0.0, 2.0, 4.0]), np.array([[0.1, 0.5, 0.9], [0.6, 0.7, 1.0]]), 100)
    found = shortfall(shares, np.log([30.0, 30.0]))
    assert found[0] == pytest.approx(2 * 30 / 2.0)
    assert found[1] == LARGEST
