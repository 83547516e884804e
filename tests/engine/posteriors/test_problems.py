"""The simulator's problems: their evidence is what it says, by computing a few of them again by hand."""

import numpy as np

from heldout.engine.posteriors.problems import EXAMPLES, REPETITIONS, known_problems


def test_the_evidence_is_consistent() -> None:
    known = known_problems(np.random.default_rng(1), 400)
    gibbs = known.gibbs
    assert gibbs.draws == EXAMPLES * REPETITIONS == 2 * gibbs.pairs
    assert (gibbs.divergence >= -1e-12).all()
    assert (gibbs.divergence > 1).any()
    assert (gibbs.pair_risk <= gibbs.risk + 1e-12).all()  # both err no more often than one
    assert (known.vote_risk <= 2 * known.gibbs_risk + 1e-12).all()  # half of the weight errs where the vote does
    assert set(np.round(gibbs.price, 9)) == {round(float(np.log(2)), 9)}


def test_the_log_ratio_is_the_divergence_on_average() -> None:
    gibbs = known_problems(np.random.default_rng(2), 6000).gibbs
    gap = gibbs.single.log_ratio - gibbs.divergence
    assert abs(gap.mean()) < 5.2 * gap.std() / np.sqrt(6000)  # fails below 1e-6


def test_the_posterior_was_chosen_after_the_sample() -> None:
    known = known_problems(np.random.default_rng(3), 2000)
    assert (known.gibbs.risk - known.gibbs_risk).mean() < -0.02  # optimistic: that is what the divergence pays for
