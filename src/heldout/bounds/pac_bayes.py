"""The PAC-Bayes kl bound for a Gaussian Gibbs predictor."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.posteriors import Gibbs
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.engine.posteriors.problems import known_problems
from heldout.records import Bounded

#: Of delta, for the draws: they are many, so that they cost least where they are given little.
DRAWS = 0.1
SPENT = (
    ("the Gibbs risk on the examples is this far from that on new ones, for every posterior at once", 1 - DRAWS),
    ("the Gibbs risk on the examples is this far from the mean over the draws", DRAWS),
)
STATEMENT = "probability over the draw of the training examples and of the evaluation's draws"


def _initial_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = known_problems(generator, problems)
    return {"gibbs_from_initial": known.gibbs}, known.gibbs_risk


def _split_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = known_problems(generator, problems)
    return {"gibbs_from_split": known.gibbs}, known.gibbs_risk


@bound(
    source="Maurer 2004, Theorem 5; Langford and Caruana 2001; Dziugaite and Roy 2017, section 3",
    certifies="a Gibbs predictor around this network",
    statement=STATEMENT,
    family="pac-bayes",
    problem=_initial_problem,
)
def pac_bayes_kl(gibbs_from_initial: Gibbs, *, log_delta: float) -> Bounded:
    r"""Risk of a predictor that draws its weights anew, around the trained network, for every example; prior before training.

    .. math:: \mathrm{kl}(\bar R, R) \le \frac{\mathrm{KL}(Q \| P) + 2 \ln j + \ln(\pi^2/6) + \ln(2 \sqrt n / \delta_1)}{n},
        \quad \mathrm{kl}(\hat R_{mc}, \bar R) \le \frac{\ln(1/\delta_2)}{m}, \quad \delta_1 + \delta_2 = \delta

    Means and scales are trained for a relaxation of it on all training examples; the prior's variance is the j-th of a grid. It says
    nothing of the trained network itself, of the mean of the posterior, or of an ensemble.

    Args:
        gibbs_from_initial: The posterior's divergence and draws.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> from heldout.engine.posteriors import SingleDraw
        >>> zero = np.zeros(1)
        >>> gibbs = Gibbs(zero, zero, zero, 10**6, 1000, SingleDraw(zero, zero), zero, 10**6)
        >>> print(f"{pac_bayes_kl(gibbs, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0073
    """
    return _bounded(gibbs_from_initial, log_delta)


@bound(
    source="Ambroladze et al. 2007; Perez-Ortiz et al. 2021, section 5; Dziugaite et al. 2021",
    certifies="a Gibbs predictor around a network trained anew by the recipe",
    statement=STATEMENT,
    family="pac-bayes",
    problem=_split_problem,
)
def pac_bayes_learnt_prior(gibbs_from_split: Gibbs, *, log_delta: float) -> Bounded:
    """The same with a prior around networks that were trained on a part of the examples, the bound resting on the others.

    The prior's own network could be certified on these others by Clopper and Pearson: that is the baseline. It says nothing of the
    network under study.

    Args:
        gibbs_from_split: The posterior's divergence and draws, and the errors of the prior's network.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> from heldout.engine.posteriors import SingleDraw
        >>> zero = np.zeros(1)
        >>> gibbs = Gibbs(zero, zero, zero, 10**6, 1000, SingleDraw(zero, zero), zero, 10**6, reference_errors=zero)
        >>> print(f"{pac_bayes_learnt_prior(gibbs, log_delta=np.log(0.05)).baseline[0]:.4f}")
        0.0030
    """
    return _bounded(gibbs_from_split, log_delta)


def _bounded(gibbs: Gibbs, log_delta: float) -> Bounded:
    on_sample = monte_carlo_upper(gibbs.risk, gibbs.draws, log_delta + np.log(DRAWS))
    nats = gibbs.divergence + gibbs.price
    value = pac_bayes_kl_upper(on_sample, nats, gibbs.examples, log_delta + np.log(1 - DRAWS))
    errors = gibbs.reference_errors
    return Bounded(
        value=value,
        steps=SPENT,
        empirical_risk=gibbs.risk,
        examples=gibbs.examples,
        data=gibbs.data,
        baseline=None if errors is None else np.asarray(binomial_inverse_upper(errors, gibbs.examples, log_delta)),
        terms={
            "divergence": gibbs.divergence,
            "price of the prior": gibbs.price,
            "Gibbs risk on the sample, upper": on_sample,
            "draws": np.full(len(value), float(gibbs.draws)),
        },
    )
