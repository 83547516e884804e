"""PAC-Bayes without averaging: one network is drawn, and that one is certified."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.posteriors import Gibbs
from heldout.engine.posteriors.inequalities import pac_bayes_kl_upper
from heldout.engine.posteriors.problems import known_problems
from heldout.records import Bounded

SPENT = (
    ("the one draw's risk on the examples is this far from that on new ones, or the draw was an unlucky one", 1.0),
)
STATEMENT = "probability over the draw of the training examples and of the one network"


def _initial_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = known_problems(generator, problems)
    return {"gibbs_from_initial": known.gibbs}, known.single_risk


def _split_problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    known = known_problems(generator, problems)
    return {"gibbs_from_split": known.gibbs}, known.single_risk


@bound(
    source="Catoni 2007; Rivasplata et al. 2020, Theorem 1 with Maurer's constant",
    certifies="one draw from a Gaussian around this network",
    statement=STATEMENT,
    family="pac-bayes",
    problem=_initial_problem,
)
def pac_bayes_single_draw(gibbs_from_initial: Gibbs, *, log_delta: float) -> Bounded:
    r"""Risk of one network, drawn once from the posterior; prior before training.

    .. math:: \mathrm{kl}(\hat R(h), R(h)) \le \frac{1}{n} \left[ \ln \frac{dQ}{dP}(h) + 2 \ln j + \ln\frac{\pi^2}{6}
        + \ln\frac{2 \sqrt n}{\delta} \right], \quad h \sim Q

    A single deterministic network, no Monte-Carlo step. The draw must be the first: drawing again with other seeds and keeping the
    best is not paid for. The log-ratio at the draw scatters around the divergence by about :math:`\sqrt{2 KL}`.

    Args:
        gibbs_from_initial: The draw's risk and density ratio.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> from heldout.engine.posteriors import SingleDraw
        >>> zero = np.zeros(1)
        >>> gibbs = Gibbs(zero, zero, zero, 10**6, 1000, SingleDraw(zero, zero + 5), zero, 10**6)
        >>> print(f"{pac_bayes_single_draw(gibbs, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0121
    """
    return _bounded(gibbs_from_initial, log_delta)


@bound(
    source="Catoni 2007; Rivasplata et al. 2020, Theorem 1 with Maurer's constant; prior as in Perez-Ortiz et al. 2021",
    certifies="one draw from a Gaussian around a network trained anew by the recipe",
    statement=STATEMENT,
    family="pac-bayes",
    problem=_split_problem,
)
def pac_bayes_single_draw_learnt_prior(gibbs_from_split: Gibbs, *, log_delta: float) -> Bounded:
    """The same with a prior around networks that were trained on a part of the examples, the bound resting on the others.

    Beside it stands Clopper and Pearson's bound for the prior's own network on these others.

    Args:
        gibbs_from_split: The draw's risk and density ratio, and the errors of the prior's network.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Example:
        >>> from heldout.engine.posteriors import SingleDraw
        >>> zero = np.zeros(1)
        >>> gibbs = Gibbs(zero, zero, zero, 10**6, 1000, SingleDraw(zero, zero), zero, 10**6, reference_errors=zero)
        >>> print(f"{pac_bayes_single_draw_learnt_prior(gibbs, log_delta=np.log(0.05)).baseline[0]:.4f}")
        0.0030
    """
    return _bounded(gibbs_from_split, log_delta)


def _bounded(gibbs: Gibbs, log_delta: float) -> Bounded:
    single, errors = gibbs.single, gibbs.reference_errors
    return Bounded(
        value=pac_bayes_kl_upper(single.risk, single.log_ratio + gibbs.price, gibbs.examples, log_delta),
        steps=SPENT,
        empirical_risk=single.risk,
        examples=gibbs.examples,
        data=gibbs.data,
        baseline=None if errors is None else np.asarray(binomial_inverse_upper(errors, gibbs.examples, log_delta)),
        terms={
            "log-ratio at the draw": single.log_ratio,
            "divergence": gibbs.divergence,
            "price of the prior": gibbs.price,
        },
    )
