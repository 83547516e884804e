"""Differential privacy: the two forms of the information, an exact mechanism, simulated coverage."""

import math

import numpy as np
import pytest
import torch
from tests import cases

import heldout
from heldout.bounds.differential_privacy import differential_privacy, private_choices
from heldout.engine.numerics import binomial_inverse_upper
from heldout.verbs.simulate import simulate_family

ERRORS = (torch.arange(500) < 20)[None].double()


@pytest.mark.parametrize(
    ("epsilon", "information"), [(2.5, 1250.0), (0.02, 0.05 + math.sqrt(0.05**2 + 0.1 * math.log(40)))]
)
def test_both_forms_of_the_information(epsilon: float, information: float) -> None:
    said = differential_privacy(ERRORS, epsilon, log_delta=math.log(0.05))
    assert said.terms["max-information in nats"][0] == pytest.approx(information)
    assert said.value[0] == pytest.approx(float(binomial_inverse_upper(20, 500, math.log(0.025) - information)))
    assert sum(share for _, share in said.steps) == 1.0


def test_the_information_bounds_an_exact_mechanism() -> None:
    # one bit told truly with probability e^eps / (1 + e^eps): the likelihood ratio never exceeds e^eps per example
    epsilon, n = 0.3, 6
    samples = np.array(np.meshgrid(*[[0, 1]] * n)).reshape(n, -1).T
    chance = np.stack([np.exp(epsilon * samples.sum(1)), np.exp(epsilon * (n - samples.sum(1)))])
    chance = chance / chance.sum(0)
    ratio = np.log(chance / chance.mean(1, keepdims=True))
    assert ratio.max() <= epsilon * n + 1e-12


def test_simulated_and_its_problems() -> None:
    rows = simulate_family("privacy", problems=2000)
    assert [row["verdict"] for row in rows] == ["holds"]
    needs, risks = private_choices(np.random.default_rng(0), 2000)
    assert set(risks) == {0.5}
    # the mechanism prefers few errors: 2,000 x 400 coins have a standard error of 0.0006
    assert needs["errors"].mean().item() < 0.497


def test_a_private_subject() -> None:
    said = heldout.certify(cases.mlp().subject(privacy=0.01), families=["privacy"])["differential-privacy"][0]
    assert "as the user declares" in said.data_ledger["assumption"]
    assert "privacy=" in heldout.certify(cases.mlp().subject(), families=["privacy"]).absent["differential-privacy"]
