"""PAC-Bayes with a prior that the bound's own examples chose, privately: what it can know of them is paid for."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.private_priors import PrivateGibbs
from heldout.engine.numerics.max_information import max_information
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.engine.posteriors.private_problems import private_problems
from heldout.records import Bounded

DRAWS, RATIO = 0.1, 0.45  # of delta, for the draws, and for the ratio of likelihoods
STEPS = (
    ("the Gibbs risk on the examples is this far from that on new ones, for every posterior, at e^-information", 1 - DRAWS - RATIO),
    ("the likelihood ratio of prior and examples stays within its max-information", RATIO),
    ("the Gibbs risk on the examples is this far from the mean over the draws", DRAWS),
)  # fmt: skip


def known_private(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: the exponential mechanism names a predictor, around which the prior lies; the posterior flatters.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    gibbs, epsilon, risks = private_problems(generator, problems)
    return {"private_gibbs": PrivateGibbs(gibbs, epsilon, 1)}, risks


@bound(
    source="Dziugaite and Roy 2018, Theorem 4.2 (private priors); max-information derived here, after Dwork et al. 2015, Theorem 20",
    certifies="a Gibbs predictor around this network",
    statement="probability over the draw of the training examples, the noise of the private vote and the evaluation's draws",
    family="pac-bayes",
    problem=known_private,
)
def pac_bayes_private_prior(private_gibbs: PrivateGibbs, *, log_delta: float) -> Bounded:
    r"""Risk of a Gibbs predictor whose prior looked at the same examples, through epsilon-differential privacy alone.

    .. math:: \mathrm{kl}(\bar R, R) \le \frac{\mathrm{KL}(Q \| P(S)) + \ln(2 \sqrt n / \delta_1) + I}{n}, \quad
        I = \min\Big(\epsilon n,\; v + \sqrt{v^2 + 2 v \ln(1/\beta)}\Big), \quad v = \frac{n \epsilon^2}{4}

    For a prior that is independent of the sample, that some posterior breaks the theorem of Seeger and Maurer has probability
    :math:`e^{-I} \delta_1` at most. A private prior makes an event about itself and its sample likelier by :math:`e^I` at most, but
    for a chance of beta (``engine.numerics.max_information`` derives it), so that here it has :math:`\delta_1 + \beta`. With
    :math:`\delta_1 + \beta \le \delta` the published form follows: both logarithms and I are at most
    :math:`\max(\ln(3/\delta), n \epsilon^2)`, twice which is its price.

    The prior: each example says which side of a few random directions in weight space it prefers, the counts get noise on whole
    numbers, and the untrained network moves accordingly. A finite choice among K priors would cost ln K, whatever the examples say:
    privacy is for choices that cannot be counted. It says nothing of the trained network itself.

    Args:
        private_gibbs: The posterior's divergence and draws, and the prior's epsilon.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account; what privacy cost is a term, in nats.

    Example:
        >>> needs, risks = known_private(np.random.default_rng(0), 3)
        >>> bool((pac_bayes_private_prior(**needs, log_delta=np.log(0.05)).value > risks).all())
        True
    """
    gibbs, epsilon = private_gibbs.gibbs, private_gibbs.epsilon
    information = max_information(epsilon, gibbs.examples, log_delta + np.log(RATIO))
    on_sample = monte_carlo_upper(gibbs.risk, gibbs.draws, log_delta + np.log(DRAWS))
    nats = np.maximum(gibbs.divergence, 0.0) + gibbs.price + information
    each = np.ones(len(nats))
    return Bounded(
        value=pac_bayes_kl_upper(on_sample, nats, gibbs.examples, log_delta + np.log(1 - DRAWS - RATIO)),
        steps=STEPS,
        empirical_risk=gibbs.risk,
        examples=gibbs.examples,
        data=gibbs.data,
        terms={
            "divergence": gibbs.divergence,
            "price of the prior": gibbs.price,
            "price of privacy": information * each,
            "epsilon": epsilon * each,
            "Gibbs risk on the sample, upper": on_sample,
        },
    )
