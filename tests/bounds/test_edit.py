"""Rounded weights: by hand, and the order against the bound of the network before."""

import math

import numpy as np
import pytest
from tests.oracles.held_out import clopper_pearson

from heldout.bounds.disagreement import disagreement
from heldout.bounds.edit import rounded_weights
from heldout.engine.evidence.surrogates import Edited, Transferred

KNOWN = Transferred(np.array([3]), 50, np.array([2]), 80)


def test_by_hand() -> None:
    said = rounded_weights(KNOWN, Edited(np.array([1]), np.array([4])), log_delta=math.log(0.3))
    terms = [clopper_pearson(3, 50, 0.1), clopper_pearson(2, 80, 0.1), clopper_pearson(1, 80, 0.1)]
    assert said.value[0] == pytest.approx(sum(terms), abs=1e-10)
    assert said.terms["rise"][0] == pytest.approx(terms[2], abs=1e-10)
    assert sum(share for _, share in said.steps) == pytest.approx(1, abs=1e-15)
    assert said.baseline is not None
    assert said.baseline[0] == pytest.approx(clopper_pearson(4, 80, 0.3), abs=1e-10)
    assert said.empirical_risk[0] == pytest.approx(3 / 50 + 3 / 80)


def test_an_edit_costs_something_and_more_where_it_changes_more() -> None:
    before = disagreement(KNOWN, log_delta=-2.0).value[0]
    values = [rounded_weights(KNOWN, Edited(np.array([k])), log_delta=-2.0).value[0] for k in (0, 3, 80)]
    assert before < values[0] < values[1] < values[2] == 1
