"""The second-order bound of the majority vote."""

import math

import numpy as np
import pytest

from heldout.bounds.pac_bayes_majority_vote import pac_bayes_majority_vote
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.posteriors import Gibbs, SingleDraw
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.records import Refusal


def voters(pair_risk: float, nats: float = 10.0, pairs: int = 50_000, price: float = 0.0) -> Gibbs:
    """One member."""
    one = np.ones(1)
    return Gibbs(
        nats * one, price * one, one, 2 * pairs, 5000, SingleDraw(one, one), pair_risk * one, pairs, 100.0 * one
    )


def test_four_times_the_risk_of_pairs_at_twice_the_divergence() -> None:
    found = pac_bayes_majority_vote(voters(0.01, 10.0, price=2.0), log_delta=math.log(0.1))
    on_sample = monte_carlo_upper(0.01, 50_000, math.log(0.01))
    pairs = float(pac_bayes_kl_upper(on_sample, 24.0, 5000, math.log(0.09)))
    assert found.value[0] == pytest.approx(4 * pairs, rel=1e-12)
    assert found.terms["risk that two draws err together"][0] == pytest.approx(pairs)
    assert found.empirical_risk[0] == 0.01
    assert found.baseline is not None
    assert found.baseline[0] == float(binomial_inverse_upper(100, 5000, math.log(0.1)))


def test_it_is_never_above_one() -> None:
    assert pac_bayes_majority_vote(voters(0.5), log_delta=math.log(0.1)).value[0] == 1.0


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(Refusal, match="mean of 20 draws"):
        pac_bayes_majority_vote(voters(0.01, pairs=20), log_delta=math.log(0.1))
