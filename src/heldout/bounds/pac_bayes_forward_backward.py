"""PAC-Bayes with two priors, forward and backward: all examples train the posterior and all of them bound it."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.crossed_priors import Crossed
from heldout.engine.numerics import kl_inverse_upper
from heldout.engine.posteriors.inequalities import LEAST, SLACK, monte_carlo_upper
from heldout.engine.posteriors.problems import known_problems
from heldout.records import Bounded, NotApplicable

DRAWS = 0.1  # of delta, for the draws


def crossed_problems(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: a posterior chosen after the sample, with one prior that saw nothing in both places.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    known = known_problems(generator, problems)
    nats = known.gibbs.divergence + known.gibbs.price
    half = known.gibbs.examples // 2
    crossed = Crossed(
        np.stack([nats, nats]), (half, known.gibbs.examples - half), known.gibbs.risk, known.gibbs.draws, {}
    )
    return {"crossed_gibbs": crossed}, known.gibbs_risk


@bound(
    source="After Mhammedi, Grunwald and Guedj 2019, section 4 (forward and backward priors); the kl form derived here",
    certifies="a Gibbs predictor around a network trained anew by the recipe",
    statement="probability over the draw of the training examples and of the evaluation's draws",
    family="pac-bayes",
    problem=crossed_problems,
)
def pac_bayes_forward_backward(crossed_gibbs: Crossed, *, log_delta: float) -> Bounded:
    r"""Risk of a Gibbs predictor from all examples, each half with a prior that the other half trained.

    .. math:: \mathrm{kl}(\hat R_S, R) \le \frac{n_1}{n} \mathrm{kl}(\hat R_{S_1}, R) + \frac{n_2}{n} \mathrm{kl}(\hat R_{S_2}, R)
        \le \frac1n \sum_{i=1,2} \Big(\mathrm{KL}(Q \| P(S_{3-i})) + \ln \frac{2 \sqrt{n_i}}{\delta_i}\Big)

    The first step is the convexity of kl, the second the theorem on each half, its prior being independent of it. Compared with one
    learnt prior it rests on twice the examples, and pays two divergences and two logarithms.

    Args:
        crossed_gibbs: Divergences and draws.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Raises:
        NotApplicable: If a half has fewer than eight examples.

    Example:
        >>> zero = np.zeros(1)
        >>> said = pac_bayes_forward_backward(Crossed(np.zeros((2, 1)), (500, 500), zero, 10**6, {}), log_delta=np.log(0.05))
        >>> print(f"{said.value[0]:.4f}")
        0.0151
    """
    if min(crossed_gibbs.examples) < LEAST:
        raise NotApplicable(f"a half has only {min(crossed_gibbs.examples)} examples", do=f"pass at least {2 * LEAST}")
    n = sum(crossed_gibbs.examples)
    on_sample = monte_carlo_upper(crossed_gibbs.risk, crossed_gibbs.draws, log_delta + np.log(DRAWS))
    share = log_delta + np.log((1 - DRAWS) / 2)
    logs = sum(float(np.log(2 * np.sqrt(size))) - share for size in crossed_gibbs.examples)
    budget = (np.maximum(crossed_gibbs.divergences, 0.0).sum(0) + logs) * (1 + SLACK) / n
    return Bounded(
        value=np.asarray(kl_inverse_upper(on_sample, budget)),
        steps=(
            (
                "the Gibbs risk on the first half is this far from that on new examples, for every posterior",
                (1 - DRAWS) / 2,
            ),
            ("and that on the second half", (1 - DRAWS) / 2),
            ("the Gibbs risk on the examples is this far from the mean over the draws", DRAWS),
        ),
        empirical_risk=crossed_gibbs.risk,
        examples=n,
        data=crossed_gibbs.data,
        terms={
            "divergence on the first half": crossed_gibbs.divergences[0],
            "divergence on the second half": crossed_gibbs.divergences[1],
            "Gibbs risk on the sample, upper": on_sample,
        },
    )
