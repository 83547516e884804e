"""Vapnik's bounds: the formula from the counts, empty by how much, problems of known risk, a real subject."""

import math

import numpy as np
import pytest
import torch
from tests import cases

import heldout
from heldout.bounds.vc import thresholds, vapnik, vapnik_relative
from heldout.engine.evidence.chains import Link
from heldout.engine.numerics.capacity import log_piecewise_linear
from heldout.records import Status
from heldout.verbs.simulate import simulate_family


def test_the_formulas() -> None:
    chain = (Link("a", 8320, (128,), 64, 128), Link("b", 1290, (), 128, 10))
    growth = log_piecewise_linear(2000, [8320, 1290], [(128,), ()], 10)
    errors = (torch.arange(1000) < 30)[None].double()
    said = vapnik(errors, chain, log_delta=math.log(0.1))
    assert said.value[0] == pytest.approx(0.03 + math.sqrt(8 / 1000 * (math.log(40) + growth)))
    assert said.terms["log growth function at 2 n"][0] == growth == pytest.approx(2000 * math.log(10))
    assert said.terms["parameters"][0] == 9610
    relative = vapnik_relative(errors, chain, log_delta=math.log(0.1))
    a = 4 / 1000 * (math.log(40) + growth)
    assert relative.value[0] == pytest.approx(0.03 + a / 2 * (1 + math.sqrt(1 + 0.12 / a)))


def test_its_problems_have_the_risk_they_say_and_are_not_all_empty() -> None:
    needs, risks = thresholds(np.random.default_rng(0), 300)
    value = vapnik(**needs, log_delta=math.log(0.05)).value
    assert (value < 1).all()
    assert ((risks >= 0.4) & (risks <= 0.5)).all()
    assert (needs["errors"].mean(1).numpy() <= risks + 0.03).all()  # the chosen cut looks as good as it is, or better
    # a fresh sample at the same cuts: the mean of 300 x 4000 errors, six standard errors are 0.003
    assert risks.mean() == pytest.approx(0.4, abs=0.01)


def test_simulated() -> None:
    rows = simulate_family("vc", problems=300)
    assert {row["bound"] for row in rows} == {"vapnik", "vapnik-relative"}
    assert all(row["violations"] == 0 for row in rows)


def test_on_a_real_network_it_is_empty_by_much_and_on_none_without_layers_in_a_chain() -> None:
    found = heldout.certify(cases.mlp().subject(), families=["vc"])
    assert {one.name for one in found} == {"vapnik", "vapnik-relative"}
    assert all(one.status is Status.VACUOUS and one.value is not None and one.value > 1 for one in found)
    attention = heldout.certify(cases.transformer().subject(), families=["vc"])
    assert "chains of dense or convolutional layers" in attention.absent["vapnik"]
