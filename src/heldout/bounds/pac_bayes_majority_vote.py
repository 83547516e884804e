"""The second-order PAC-Bayes bound of a majority vote."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.posteriors import Gibbs
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.engine.posteriors.problems import known_problems
from heldout.records import Bounded

#: Of delta, for the draws.
DRAWS = 0.1
SPENT = (
    ("the loss of pairs on the examples is this far from that on new ones, for every posterior at once", 1 - DRAWS),
    ("the loss of pairs on the examples is this far from the mean over the pairs drawn", DRAWS),
)


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = known_problems(generator, problems)
    return {"gibbs_from_split": known.gibbs}, known.vote_risk


@bound(
    source="Masegosa et al. 2020, Theorems 3 and 8, the bound inverted",
    certifies="the majority vote of all draws around a network trained anew by the recipe",
    statement="probability over the draw of the training examples and of the evaluation's draws",
    family="pac-bayes",
    problem=_problem,
)
def pac_bayes_majority_vote(gibbs_from_split: Gibbs, *, log_delta: float) -> Bounded:
    r"""Risk of the vote of the whole posterior, from how often two draws err together.

    .. math:: R(MV) \le 4\, \mathbb{E}_{h, h' \sim Q} R(h, h'), \quad
        \mathrm{kl}(\hat R(Q, Q), R(Q, Q)) \le \frac{2\,\mathrm{KL} + \ln(2 \sqrt n / \delta_1)}{n}

    R(h, h') is the chance that both err. A vote errs only where half of the posterior's weight does; a tie counts as an error. The
    factor 4 is the price for saying something of a vote: where the draws agree it is four times the Gibbs risk.

    Args:
        gibbs_from_split: The posterior's divergence and pairs of draws.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> from heldout.engine.posteriors import SingleDraw
        >>> zero = np.zeros(1)
        >>> gibbs = Gibbs(zero, zero, zero, 10**6, 1000, SingleDraw(zero, zero), zero, 10**6)
        >>> print(f"{pac_bayes_majority_vote(gibbs, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0291
    """
    gibbs, errors = gibbs_from_split, gibbs_from_split.reference_errors
    on_sample = monte_carlo_upper(gibbs.pair_risk, gibbs.pairs, log_delta + np.log(DRAWS))
    nats = 2 * (gibbs.divergence + gibbs.price)
    pairs = pac_bayes_kl_upper(on_sample, nats, gibbs.examples, log_delta + np.log(1 - DRAWS))
    return Bounded(
        value=np.minimum(1.0, 4 * pairs),  # multiplication by a power of two is exact
        steps=SPENT,
        empirical_risk=gibbs.pair_risk,
        examples=gibbs.examples,
        data=gibbs.data,
        baseline=None if errors is None else np.asarray(binomial_inverse_upper(errors, gibbs.examples, log_delta)),
        terms={
            "divergence": gibbs.divergence,
            "price of the prior": gibbs.price,
            "risk that two draws err together": pairs,
        },
    )
