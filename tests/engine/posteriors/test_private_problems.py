"""Problems for private priors: the prior was chosen after the sample, and the posterior flatters."""

import numpy as np

from heldout.engine.posteriors.private_problems import EPSILON, private_problems


def test_the_prior_saw_the_sample_and_no_more_than_it_may() -> None:
    gibbs, epsilon, risks = private_problems(np.random.default_rng(0), 3000)
    assert epsilon == EPSILON
    assert ((risks > 0) & (risks < 1)).all()
    assert (gibbs.divergence >= -1e-12).all()
    free = gibbs.divergence < 1e-9  # the posterior is the prior: what looks good there is the mechanism's doing
    assert 0.05 < free.mean() < 1
    assert (gibbs.risk - risks)[free].mean() < -0.02
