"""Sums of sign agreements: loops over pairs, blocks, exact order."""

import numpy as np
import pytest

from heldout.engine.judging import signs


def test_against_a_loop_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(0)
    measures, targets = draws.integers(0, 5, (3, 12)).astype(float), draws.normal(size=(4, 12))
    drawn, base = draws.integers(0, 3, (4, 12)).astype(float), draws.random(66)
    first, second = np.triu_indices(12, 1)
    expected = np.zeros((3, 4))
    for k in range(3):
        for r in range(4):
            for p, (i, j) in enumerate(zip(first, second, strict=True)):
                sign = np.sign(measures[k, i] - measures[k, j]) * np.sign(targets[r, i] - targets[r, j])
                expected[k, r] += sign * drawn[r, i] * drawn[r, j] * base[p]
    for block in (7, 1000):
        monkeypatch.setattr(signs, "BLOCK", block)
        sums, total = signs.agreement(measures, targets, drawn, first, second, base)
        assert sums == pytest.approx(expected, rel=1e-5, abs=1e-5)
        assert total == pytest.approx((drawn[:, first] * drawn[:, second] * base).sum(1), rel=1e-6)


def test_values_that_float32_would_confuse_keep_their_order() -> None:
    close = np.array([[1.0, 1.0 + 1e-12, 1.0 - 1e-12, 1.0]])
    assert signs.order(close).tolist() == [[2.0, 3.0, 1.0, 2.0]]
