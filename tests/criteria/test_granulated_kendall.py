"""Granulated Kendall: loops over pairs, axis by axis; a proxy for one axis; unbalanced ledgers."""

import numpy as np
import pytest
from tests.criteria.ledgers import once, small
from tests.oracles import judging

from heldout.criteria.granulated_kendall import granulated_kendall
from heldout.engine.judging import designed


@pytest.mark.parametrize("dropped", [(), (3, 8, 15, 20)])
def test_against_loops_over_pairs(dropped: tuple[int, ...]) -> None:
    design, measures, gap = small()
    kept = np.setdiff1d(np.arange(design.networks), dropped)
    design, measures, gap = design.take(kept), measures[:, kept], gap[kept]
    settings = [tuple(row) for row in design.codes.tolist()]
    expected = np.array([judging.granulated(row, gap, settings) for row in measures])
    for axis in range(3):
        found = granulated_kendall(measures, gap[None], once(design), design, axis=axis)
        assert found[:, 0] == pytest.approx(expected[:, axis], abs=1e-6)
    whole = granulated_kendall(measures, gap[None], once(design), design)[:, 0]
    assert whole == pytest.approx(expected.mean(1), abs=1e-6)


def test_a_proxy_of_one_axis_scores_on_no_other() -> None:
    design, measures, gap = small()
    scores = [granulated_kendall(measures, gap[None], once(design), design, axis=axis)[2, 0] for axis in range(3)]
    assert scores[0] == scores[2] == 0.0
    assert scores[1] != 0.0


def test_networks_that_never_differ_in_one_axis_have_no_value() -> None:
    design = designed({"a": np.array([0, 1, 2]), "b": np.array([2, 0, 1])})
    assert np.isnan(granulated_kendall(np.ones((2, 3)), np.ones((4, 3)), once(design), design)).all()
    assert granulated_kendall(np.ones((2, 3)), np.ones((4, 3)), once(design), design).shape == (2, 4)


def test_a_configuration_that_was_not_drawn_does_not_count() -> None:
    design, measures, gap = small()
    drawn = np.ones((1, design.networks))
    drawn[0, design.codes[:, 0] == 2] = 0.0
    kept = np.flatnonzero(drawn[0])
    expected = granulated_kendall(
        measures[:, kept], gap[None, kept], np.ones((1, len(kept))), design.take(kept), axis=1
    )
    assert granulated_kendall(measures, gap[None], drawn, design, axis=1) == pytest.approx(expected)
