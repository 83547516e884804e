"""The recursive bound against its formula typed with another inversion, its orderings, and its account."""

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.oracles import held_out as oracle

from heldout.bounds.pac_bayes_recursive import pac_bayes_recursive
from heldout.engine.posteriors import Recursion
from heldout.engine.posteriors.recursive_problems import recursive_problems
from heldout.records import Refusal

LOG_DELTA = math.log(0.05)


def steps(gamma: float = 0.5) -> Recursion:
    """Three steps of one member."""
    shares = np.array([[[0.9], [0.2], [0.1]], [[0.95], [0.12], [0.04]]])
    return Recursion(
        np.array([[40.0], [10.0], [3.0]]), np.array([2.0]), np.array([0.3]), shares, (50_000, 40_000, 30_000),
        (4000, 3500, 2000), gamma, {"parts": "three"},
    )  # fmt: skip


def inverse(mean: float, nats: float, n: int, delta: float) -> float:
    """The kl bound by the oracle: nats enter as a smaller delta."""
    return oracle.kl(mean, n, delta * math.exp(-nats) / (2 * math.sqrt(n)))


@pytest.mark.parametrize("gamma", [0.5, 0.3])
def test_the_recursion_typed_from_the_paper(gamma: float) -> None:
    bound = inverse(oracle.kl(0.3, 50_000, 0.005 / 3), 42.0, 4000, 0.045 / 3)
    later = [((0.9, 0.2, 0.1), 10.0, 40_000, 3500), ((0.95, 0.12, 0.04), 3.0, 30_000, 2000)]
    for shares, nats, draws, n in later:
        ends = [oracle.kl(share, draws, 0.005 / 9) for share in shares]
        values = [inverse(end, nats, n, 0.045 / 9) for end in ends]
        excess = -gamma + gamma * values[0] + (1 - gamma) * values[1] + gamma * values[2]
        bound = min(1.0, gamma * bound + excess)
    found = pac_bayes_recursive(steps(gamma), log_delta=LOG_DELTA)
    assert found.value[0] == pytest.approx(bound, abs=1e-9)
    assert found.value[0] >= bound - 1e-13
    assert found.terms["bound 3"][0] == found.value[0]


def test_its_account() -> None:
    found = pac_bayes_recursive(steps(), log_delta=LOG_DELTA)
    assert [share for _, share in found.steps] == pytest.approx([0.3, 0.3, 0.3, 0.1])
    assert found.examples == 4000
    assert found.empirical_risk[0] == 0.12
    assert found.baseline is None
    assert found.data == {"parts": "three"}


def test_one_step_is_the_plain_bound() -> None:
    one = replace(steps(), divergence=np.array([[40.0]]), shares=np.zeros((0, 3, 1)), draws=(50_000,), examples=(4000,))
    found = pac_bayes_recursive(one, log_delta=LOG_DELTA)
    assert found.value[0] == pytest.approx(inverse(oracle.kl(0.3, 50_000, 0.005), 42.0, 4000, 0.045), abs=1e-9)
    assert found.empirical_risk[0] == 0.3


def test_more_nats_or_errors_make_it_larger() -> None:
    value = pac_bayes_recursive(steps(), log_delta=LOG_DELTA).value[0]
    nats, shares = steps().divergence, steps().shares
    for step in range(3):
        more = nats + np.eye(3)[:, [step]] * 5
        assert pac_bayes_recursive(replace(steps(), divergence=more), log_delta=LOG_DELTA).value[0] > value
    assert pac_bayes_recursive(replace(steps(), shares=shares * 1.05), log_delta=LOG_DELTA).value[0] > value
    assert pac_bayes_recursive(steps(), log_delta=math.log(0.01)).value[0] > value


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_a_gamma_out_of_its_range_is_refused(gamma: float) -> None:
    with pytest.raises(Refusal, match="expected a number strictly between 0 and 1"):
        pac_bayes_recursive(steps(gamma), log_delta=LOG_DELTA)


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(Refusal, match="mean of 40 draws"):
        pac_bayes_recursive(replace(steps(), draws=(50_000, 40_000, 40)), log_delta=LOG_DELTA)


def test_the_problems_are_consistent_and_not_trivial() -> None:
    found, risks = recursive_problems(np.random.default_rng(0), 1000)
    at_least_zero, wrong, worst = found.shares[0]
    assert (worst <= wrong).all()
    assert (wrong <= at_least_zero).all()
    assert (found.divergence >= -1e-9).all()
    assert (wrong - risks).mean() < -0.01  # the second posterior was chosen on these examples
    # The identity behind the three indicators: they add up to the excess loss, whose mean is known up to that choice.
    excess = -0.5 + 0.5 * at_least_zero + 0.5 * wrong + 0.5 * worst
    assert (excess <= wrong).all()
    assert np.abs(excess - (risks - 0.5 * 0.3)).mean() < 0.1
