"""A private prior: the formula again, coverage, a prior that only claims to be private, a real subject with its price."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests import cases

from heldout.bounds.pac_bayes_private import known_private, pac_bayes_private_prior
from heldout.engine.evidence.private_priors import PrivateGibbs
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.numerics import binary_kl
from heldout.engine.posteriors import Gibbs, SingleDraw

LOG_DELTA = math.log(0.05)


def gibbs(risk: np.ndarray, nats: float, n: int) -> Gibbs:
    zero = np.zeros(len(risk))
    return Gibbs(zero + nats, zero + 1.5, risk, 10**6, n, SingleDraw(zero, zero), zero, 1)


def test_the_formula_again() -> None:
    said = pac_bayes_private_prior(PrivateGibbs(gibbs(np.array([0.2]), 30.0, 900), 0.1, 3), log_delta=LOG_DELTA)
    v = 900 * 0.01 / 4
    information = v + math.sqrt(v * v + 2 * v * math.log(1 / (0.45 * 0.05)))
    assert said.terms["price of privacy"][0] == pytest.approx(information)
    on_sample = said.terms["Gibbs risk on the sample, upper"][0]
    assert binary_kl(0.2, on_sample) == pytest.approx(math.log(1 / 0.005) / 10**6, rel=1e-5)
    budget = (30 + 1.5 + information + math.log(2 * 30 / (0.45 * 0.05))) / 900
    assert binary_kl(on_sample, said.value[0]) == pytest.approx(budget, rel=1e-6)
    assert sum(share for _, share in said.steps) == pytest.approx(1)
    published = (30 + 1.5 + math.log(2 * 30) + 2 * max(math.log(3 / 0.05), 900 * 0.01)) / 900
    assert budget < published


def test_simulated_and_one_that_only_claims_to_be_private() -> None:
    needs, risks = known_private(np.random.default_rng(1), 2000)
    value = pac_bayes_private_prior(**needs, log_delta=LOG_DELTA).value
    assert (value < risks).mean() <= 0.05
    assert (value < 0.9).all()
    # of 65,536 coins the one that erred least on 60 examples is the prior's: its epsilon is no thousandth
    luckiest = np.random.default_rng(2).binomial(60, 0.5, size=(200, 65536)).min(1) / 60
    liar = PrivateGibbs(gibbs(luckiest, 0.0, 60), 1e-3, 1)
    liar = replace(liar, gibbs=replace(liar.gibbs, price=np.zeros(200)))
    assert (pac_bayes_private_prior(liar, log_delta=LOG_DELTA).value < 0.5).mean() > 0.5


def test_a_real_subject_and_its_price() -> None:
    source = Evidence(cases.linear().subject(), seed=0)
    found = source["private_gibbs"]
    said = pac_bayes_private_prior(found, log_delta=LOG_DELTA)
    assert said.examples == 60
    assert "directions, 0.2582-differentially private" in said.data["prior"]
    assert said.terms["price of privacy"][0] == pytest.approx(1 + math.sqrt(1 + 2 * math.log(1 / 0.0225)))
    assert said.value[0] > found.gibbs.risk[0]
