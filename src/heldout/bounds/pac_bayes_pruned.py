"""The PAC-Bayes kl bound for a pruned and quantised network with noise around it."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.pruned_networks import Pruned
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.engine.posteriors.problems import known_problems
from heldout.records import Bounded

#: Of delta, for the draws.
DRAWS = 0.1
LN2 = float(np.nextafter(np.log(2.0), np.inf))


def known_risk(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: a posterior over a finite class, chosen on the sample, and a prior that one bit names, chosen too.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    known = known_problems(generator, problems)
    gibbs = known.gibbs
    drawn = Pruned(gibbs.price / np.log(2), gibbs.divergence, gibbs.risk, gibbs.draws, gibbs.examples)
    return {"pruned": drawn}, known.gibbs_risk


@bound(
    source="Zhou et al. 2019 (pruned networks with noise, mixtures as priors), derived below; Maurer 2004, Theorem 5",
    certifies="a Gibbs predictor around this network pruned, tuned and quantised",
    statement="probability over the draw of the training examples and of the evaluation's draws",
    family="compression",
    problem=known_risk,
)
def pac_bayes_pruned(pruned: Pruned, *, log_delta: float) -> Bounded:
    r"""Risk of a network of few weights of few values, with noise drawn anew for every example.

    A message h of :math:`|h|` bits, prefix-free, names for every layer which weights are kept (S), the levels :math:`c_j` with their
    frequencies :math:`q_j`, and the noise's deviation s. The prior is the mixture of everything that messages can name,

    .. math:: P = \sum_h 2^{-|h|} P_h, \qquad
        P_h = \prod_{i \in S} \sum_j q_j \, \mathcal N(c_j, s^2), \quad \text{zero outside } S,

    of mass at most 1 by Kraft's inequality, and free of data. The posterior is :math:`\prod_{i \in S} \mathcal N(c_{k_i}, s^2)`.
    As :math:`P \ge 2^{-|h|} P_h`, and by Jensen's inequality in every weight,

    .. math:: \mathrm{KL}(Q \| P) \le |h| \ln 2 + \mathrm{KL}(Q \| P_h)
        \le |h| \ln 2 - \sum_{i \in S} \ln \sum_j q_j e^{-(c_j - c_{k_i})^2 / 2 s^2}.

    Without noise the second term is the ideal length of the levels' code; noise makes it shorter, as levels that lie within it need
    not be told apart. The kl bound and the draws are paid as in :func:`~heldout.bounds.pac_bayes.pac_bayes_kl`. It says nothing of
    the network as it was trained, nor of the pruned one without noise.

    Args:
        pruned: Message, divergence and draws.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> known = Pruned(np.array([2000.0]), np.array([500.0]), np.array([0.02]), 10**6, 60000)
        >>> print(f"{pac_bayes_pruned(known, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0776
    """
    on_sample = monte_carlo_upper(pruned.risk, pruned.draws, log_delta + np.log(DRAWS))
    divergence = np.nextafter(pruned.bits * LN2 + pruned.nats, np.inf)
    value = pac_bayes_kl_upper(on_sample, divergence, pruned.examples, log_delta + np.log(1 - DRAWS))
    alone = len(value) == 1 and len(pruned.parts) == 1
    levels = float(pruned.nats[0] / np.log(2))
    return Bounded(
        value=value,
        steps=(
            (
                "the Gibbs risk on the examples is this far from that on new ones, for every posterior at once",
                1 - DRAWS,
            ),
            ("the Gibbs risk on the examples is this far from the mean over the draws", DRAWS),
        ),
        empirical_risk=pruned.risk,
        examples=pruned.examples,
        data=pruned.data,
        code={**pruned.parts[0], "levels of weights": levels, "all": float(pruned.bits[0]) + levels} if alone else {},
        terms={
            "divergence": divergence,
            "bits of the message": pruned.bits,
            "nats of the levels": pruned.nats,
            "Gibbs risk on the sample, upper": on_sample,
            "draws": np.full(len(value), float(pruned.draws)),
            **pruned.terms,
        },
    )
