"""The recursive PAC-Bayes bound: a prior is learnt in several steps, and no example is lost to the bound."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.posteriors import Recursion
from heldout.engine.posteriors.inequalities import monte_carlo_upper, pac_bayes_kl_upper
from heldout.engine.posteriors.recursive_problems import recursive_problems
from heldout.records import Bounded, Refusal

DRAWS = 0.1  # of delta, for the draws


def _problem(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    found, risks = recursive_problems(generator, problems)
    return {"recursion": found}, risks


@bound(
    source="Wu et al. 2024, Recursive PAC-Bayes, Theorem 5; indicators as in PAC-Bayes split-kl, Wu and Seldin 2022",
    certifies="a Gibbs predictor around a network trained anew by the recipe, in steps",
    statement="probability over the draw of the training examples and of the evaluation's draws",
    family="pac-bayes",
    problem=_problem,
)
def pac_bayes_recursive(recursion: Recursion, *, log_delta: float) -> Bounded:
    r"""Risk of the last of T posteriors, each the prior of the next, from bounds on their excess losses.

    .. math:: B_t = \gamma B_{t-1} + \mathcal{E}_t, \quad \mathbb{E}[\ell(h_t) - \gamma \ell(h_{t-1})] \le \mathcal{E}_t
        = -\gamma + \sum_{j=1}^{3} (b_j - b_{j-1})\, \mathrm{kl}^{-1,+}\!\left(\hat F_j,
        \frac{\mathrm{KL}(\pi_t \| \pi_{t-1}) + \ln(3 T \cdot 2\sqrt{n_t}/\delta)}{n_t}\right)

    The excess loss takes the values b = (-gamma, 0, 1 - gamma, 1); F_j is the share of examples and draws where it is at least b_j.
    The posterior of step t is trained on the first t parts of the examples; its bound rests on part t and all later ones, which its
    prior has not seen. The first step is an ordinary PAC-Bayes kl bound on all. It needs many examples: every step pays its own.

    Args:
        recursion: Divergences and shares.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds and their account.

    Raises:
        Refusal: If gamma is not strictly between 0 and 1.

    Example:
        >>> zero = np.zeros((2, 1))
        >>> shares = np.array([[[1.0], [0.0], [0.0]]])
        >>> steps = Recursion(zero, zero[0], zero[0], shares, (10**6, 10**6), (2000, 1000), 0.5)
        >>> print(f"{pac_bayes_recursive(steps, log_delta=np.log(0.05)).value[0]:.4f}")
        0.0111
    """
    gamma, count = recursion.gamma, len(recursion.examples)
    if not 0 < gamma < 1:
        raise Refusal(given=f"gamma was {gamma}", expected="a number strictly between 0 and 1", do="pass gamma=0.5")
    of_step = log_delta - np.log(count)
    on_sample = monte_carlo_upper(recursion.risk, recursion.draws[0], of_step + np.log(DRAWS))
    nats = recursion.divergence[0] + recursion.price
    value = pac_bayes_kl_upper(on_sample, nats, recursion.examples[0], of_step + np.log(1 - DRAWS))
    terms = {"divergence 1": recursion.divergence[0], "price of the prior": recursion.price, "bound 1": value}
    of_indicator = of_step - np.log(3)
    for step in range(1, count):
        excess = np.full_like(value, -gamma)
        for rise, share in zip((gamma, 1 - gamma, gamma), recursion.shares[step - 1], strict=True):
            drawn = monte_carlo_upper(share, recursion.draws[step], of_indicator + np.log(DRAWS))
            least = of_indicator + np.log(1 - DRAWS)
            excess = excess + rise * pac_bayes_kl_upper(
                drawn, recursion.divergence[step], recursion.examples[step], least
            )
        value = np.minimum(1.0, gamma * value + excess + 1e-14)  # a dozen roundings of numbers up to 1, upward
        terms |= {f"divergence {step + 1}": recursion.divergence[step], f"bound {step + 1}": value}
    words = [("the first posterior's risk on the examples is this far from that on new ones", recursion.examples[0])]
    words += [
        (f"posterior {step + 1} exceeds its predecessor by this much, three indicators", recursion.examples[step])
        for step in range(1, count)
    ]
    spent = [(f"{text} ({examples} examples)", (1 - DRAWS) / count) for text, examples in words]
    spent.append(("the shares on the examples are this far from the means over the draws", DRAWS))
    return Bounded(
        value=value,
        steps=tuple(spent),
        empirical_risk=recursion.shares[-1][1] if count > 1 else recursion.risk,
        examples=recursion.examples[0],
        data=recursion.data,
        terms=terms,
    )
