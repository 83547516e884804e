"""Forward and backward priors: the formula again, convexity, coverage, a real subject."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests import cases

from heldout.bounds.pac_bayes_forward_backward import pac_bayes_forward_backward
from heldout.catalog import find
from heldout.engine.evidence.crossed_priors import Crossed
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics import binary_kl
from heldout.engine.population import stream
from heldout.engine.training import Recipe
from heldout.records import NotApplicable
from heldout.verbs.simulate import problems_of


def test_the_formula_again() -> None:
    held = Crossed(np.array([[3.0], [5.0]]), (40, 60), np.array([0.1]), 10_000, {})
    said = pac_bayes_forward_backward(held, log_delta=math.log(0.05))
    on_sample = said.terms["Gibbs risk on the sample, upper"][0]
    assert binary_kl(0.1, on_sample) == pytest.approx(math.log(1 / 0.005) / 10_000, rel=1e-6)
    budget = (8 + math.log(2 * math.sqrt(40) / 0.0225) + math.log(2 * math.sqrt(60) / 0.0225)) / 100
    assert binary_kl(on_sample, said.value[0]) == pytest.approx(budget, rel=1e-6)
    assert sum(share for _, share in said.steps) == pytest.approx(1)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 1))
def test_kl_is_convex_in_the_empirical_risk(a: float, b: float, r: float, share: float) -> None:
    mixed = binary_kl(share * a + (1 - share) * b, r)
    assert mixed <= share * binary_kl(a, r) + (1 - share) * binary_kl(b, r) + 1e-12


def test_simulated() -> None:

    unit = find("pac-bayes-forward-backward")
    ((_, needs, risks),) = problems_of(unit, 1000, 0)
    assert (pac_bayes_forward_backward(**needs, log_delta=math.log(0.05)).value < risks).mean() <= 0.05
    assert (pac_bayes_forward_backward(**needs, log_delta=math.log(0.999)).value < 1).any()


def test_halves_that_are_too_small() -> None:
    with pytest.raises(NotApplicable, match="a half has only 5"):
        pac_bayes_forward_backward(Crossed(np.zeros((2, 1)), (5, 6), np.zeros(1), 1000, {}), log_delta=-3.0)


def test_a_real_subject() -> None:

    recipe = Recipe(optimizer="adam", lr=1e-2, batch_size=10, steps=40)
    case = cases.linear()
    found = Evidence(case.subject(), recipe=recipe, seed=0)["crossed_gibbs"]
    assert found.examples == (30, 30)
    assert (found.divergences > 0).all()
    x, y = case.train
    changed = y.clone()
    order = torch.randperm(60, generator=stream(0, "crossed priors"))
    changed[order[:30]] = (changed[order[:30]] + 1) % 3
    other = Evidence(case.subject(train=(x, changed)), recipe=recipe, seed=0)["crossed_gibbs"]
    assert (other.risk > found.risk).all()
