"""Kendall's tau: loops, scipy, replicates, multiplicities as copies."""

import numpy as np
import pytest
from scipy.stats import kendalltau
from tests.criteria.ledgers import once, small
from tests.oracles import judging

from heldout.criteria.kendall import kendall
from heldout.engine.judging import designed


def test_against_loops_over_pairs() -> None:
    design, measures, gap = small()
    found = kendall(measures, gap[None], once(design), design)[:, 0]
    assert found == pytest.approx([judging.kendall(row, gap) for row in measures], abs=1e-12)


def test_without_ties_it_is_scipy_s() -> None:
    design, measures, gap = small(ties=False)
    found = kendall(measures[:2], gap[None], once(design), design)[:, 0]
    assert found == pytest.approx([kendalltau(row, gap).statistic for row in measures[:2]])


def test_replicates_are_rows_and_multiplicities_are_copies() -> None:
    design, measures, gap = small()
    both = kendall(measures, np.stack([gap, -gap]), once(design), design)
    assert both[:, 0] == pytest.approx(-both[:, 1])
    drawn = np.random.default_rng(1).integers(0, 3, (4, design.networks)).astype(float)
    found = kendall(measures, gap[None], drawn, design)
    for replicate, counts in enumerate(drawn.astype(int)):
        copies = np.repeat(np.arange(design.networks), counts)
        distinct = [(i, j) for a, i in enumerate(copies) for j in copies[a + 1 :] if i != j]  # a copy is no pair
        signs = [np.sign(measures[0, i] - measures[0, j]) * np.sign(gap[i] - gap[j]) for i, j in distinct]
        assert found[0, replicate] == pytest.approx(np.mean(signs))


def test_it_sees_order_alone() -> None:
    design = designed({"width": np.arange(6)})
    gap = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    assert kendall(np.exp(40 * gap), gap, once(design), design).item() == 1.0
    assert kendall(np.ones((1, 6)), gap, once(design), design).item() == 0.0
