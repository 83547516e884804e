"""Tables of signs: loops over ordered pairs in cells, strict and not."""

import numpy as np
import pytest

from heldout.engine.judging import designed
from heldout.engine.judging.tables import axis_sets, cell_of, tables


@pytest.mark.parametrize("strict", [False, True])
def test_against_loops(strict: bool) -> None:
    draws = np.random.default_rng(0)
    measures, targets = draws.integers(0, 4, (2, 9)).astype(float), draws.integers(0, 4, (3, 9)).astype(float)
    cells, drawn = np.array([0, 1, 2, 0, 1, 2, 0, 1, 1]), draws.integers(0, 3, (3, 9)).astype(float)
    found = tables(measures, targets, cells, drawn, strict=strict)

    def value(row: np.ndarray, i: int, j: int) -> float:
        return float(row[i] > row[j]) if strict else float(np.sign(row[i] - row[j]))

    pairs = [(a, b) for a in range(3) for b in range(3) if strict or a <= b]
    assert found.orders.tolist() == [1.0 if strict or a == b else 2.0 for a, b in pairs]
    for u, (a, b) in enumerate(pairs):
        for r in range(3):
            met = [(i, j) for i in np.flatnonzero(cells == a) for j in np.flatnonzero(cells == b) if strict or i != j]
            weights = [drawn[r, i] * drawn[r, j] for i, j in met]
            assert found.pairs[0, r, u] == sum(weights)
            right = [value(targets[r], i, j) for i, j in met]
            assert found.right[0, r, u] == pytest.approx(np.dot(weights, right))
            for k in range(2):
                left = [value(measures[k], i, j) for i, j in met]
                assert found.left[k, r, u] == pytest.approx(np.dot(weights, left))
                assert found.both[k, r, u] == pytest.approx(np.dot(weights, np.multiply(left, right)))


def test_sets_and_cells() -> None:
    design = designed({"a": np.array([0, 0, 1, 1]), "b": np.array([0, 1, 0, 1])})
    assert axis_sets(design, (0, 1, 2)) == [(), (0,), (1,), (0, 1)]
    assert cell_of(design, ()).tolist() == [0, 0, 0, 0]
    assert cell_of(design, (0, 1)).tolist() == [0, 1, 2, 3]
