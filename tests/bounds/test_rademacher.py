"""The Rademacher estimate: its account, and what it is not."""

import numpy as np
import pytest
from tests import cases

import heldout
from heldout.bounds.rademacher import fitted_rademacher
from heldout.engine.evidence.sign_fitting import FittedSigns
from heldout.engine.training import Recipe
from heldout.records import Refusal, Status


def test_by_hand() -> None:
    said = fitted_rademacher(FittedSigns(np.array([[0.1, 0.3], [0.5, 0.5]]), np.array([0.05, 0.0]), 40), log_delta=-1.0)
    assert said.value == pytest.approx([0.45, 1.0])
    assert said.terms["standard error"] == pytest.approx([0.1, 0.0])
    assert said.steps == ()
    lonely = fitted_rademacher(FittedSigns(np.array([[0.1]]), np.zeros(1), 40), log_delta=-1.0)
    assert lonely.terms["standard error"][0] == np.inf


def test_it_is_an_estimate_and_cannot_be_quoted_with_a_probability() -> None:
    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=20, steps=40)
    found = heldout.certify(cases.mlp().subject(), families=["rademacher"], recipe=recipe)
    assert [one.status for one in found] == [Status.ESTIMATE]
    with pytest.raises(Refusal, match="no probability"):
        found["fitted-rademacher"][0].quote(probability=0.95)
    with pytest.raises(Refusal, match="valid"):
        found.best()
