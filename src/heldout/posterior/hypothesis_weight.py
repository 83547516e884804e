"""The weight of a hypothesis, prior mass of the networks as good as it: what the universality lens calls simple is heavy."""

from typing import NamedTuple

import numpy as np

from heldout.catalog import observable
from heldout.engine.numerics.multistate import Multistate, multistate
from heldout.engine.sampling.convergence import Floats, monte_carlo_error
from heldout.engine.sampling.uncertainty import together

Series = list[Floats]
LEAST_OVERLAP = 0.03  # of neighbouring rungs (Klimovich, Shirts and Mobley 2015)
PRIOR_SHARE = 0.1  # of the first rung's draws that the prior's must be worth
APART = "rungs overlap too little, or the first lies too far from the prior, to weigh the draws: sample more rungs"
LENS = "Feder, Urbanke and Fogel 2025, The Universality Lens"


@observable(
    source="Shirts and Chodera 2008, equation 11: the multistate Bennett acceptance ratio",
    unit_of_value="nats",
    undefined=APART,
)
def free_energy_multistate(ladder_nbetas: Floats, ladder_excess: Series) -> tuple[float, Series]:
    r"""The local free energy again, by weighing the draws of all rungs together, without a quadrature.

    .. math:: -\ln Z(n) = -\ln \frac{\sum_x c(x)\, e^{-n K(x)}}{\sum_x c(x)}

    The prior is the Gaussian that holds the chains, and ``c`` the weight that a draw has under it. A difference from the integral
    over temperatures beyond both error bars is the integral's error.

    Args:
        ladder_nbetas: t of the rungs, ascending, ``[R]``.
        ladder_excess: K, the mean loss less that of the centre, of every draw, R arrays ``[K, D]``.

    Returns:
        In nats; and for every rung a series whose mean the value follows.

    Example:
        >>> steps = np.geomspace(1e-3, 10.0, 9)  # K is exponential with mean 1 / (1 + t): Z is 1 / (1 + t)
        >>> u = -np.log(np.linspace(0.0005, 0.9995, 1000))[None]
        >>> round(free_energy_multistate(steps, [u / (1 + t) for t in steps])[0], 2)  # ln 11
        2.4
    """
    state = multistate(ladder_nbetas, ladder_excess)
    value, influences = state.log_mean(-ladder_nbetas[-1] * state.energies)
    return (-value if _sound(state) else float("nan")), [-each for each in influences]


@observable(source=f"{LENS}: the regret is at most min_e [n e - ln W(e)]", unit_of_value="nats", undefined=APART)
def regret_bound(ladder_nbetas: Floats, ladder_excess: Series) -> tuple[float, Series]:
    r"""What the weight of good networks allows the Bayesian mixture to lose in all, compared with the centre.

    .. math:: \min_\epsilon \left[n \epsilon - \ln W(\epsilon)\right] \ge -\ln Z(n), \quad W(\epsilon) = \varphi\{w :
        L_n(w) - L_n(w^*) \le \epsilon\}

    The prior is the Gaussian that holds the chains, so that it speaks of their neighbourhood. The minimum is taken over levels
    that draws attain.

    Args:
        ladder_nbetas: t of the rungs, ascending, ``[R]``.
        ladder_excess: K of every draw, R arrays ``[K, D]``.

    Returns:
        In nats; and for every rung a series whose mean the value follows.

    Example:
        >>> steps = np.geomspace(1e-3, 10.0, 9)  # W(e) is 1 - exp(-e): the minimum is at e = ln 1.1
        >>> u = -np.log(np.linspace(0.0005, 0.9995, 1000))[None]
        >>> value = regret_bound(steps, [u / (1 + t) for t in steps])[0]
        >>> bool(abs(value - (10 * np.log(1.1) - np.log(1 - 1 / 1.1))) < 0.02)
        True
    """
    state, n = multistate(ladder_nbetas, ladder_excess), ladder_nbetas[-1]
    order = np.argsort(state.energies)
    weights = np.exp(state.log_weights - state.log_weights.max())[order]
    heights = n * state.energies[order] - np.log(np.cumsum(weights))
    level = state.energies[order][int(heights.argmin())]
    log_weight, influences = state.log_mean(_below(state, float(level)))
    value = float(n * level - log_weight)
    return (value if _sound(state) else float("nan")), [-each for each in influences]


class HypothesisWeight(NamedTuple):
    """Weights by level of error, and free energy and learning coefficient by temperature; in nats.

    Attributes:
        levels: e, ``[E]``.
        log_weight: ln W(e), ``[E]``.
        log_weight_error: Its standard error.
        chernoff: Upper bound on it, ``min_t [t e + ln Z(t)]`` over the rungs and the temperatures between them, ``[E]``.
        nbetas: t of the rungs, ``[R]``.
        free_energy: ``-ln Z(t)``, ``[R]``.
        free_energy_error: Its standard error.
        running: Learning coefficient ``d(-ln Z) / d ln t = t E_t[K]``, ``[R]``.
        running_error: Its standard error.
    """

    levels: Floats
    log_weight: Floats
    log_weight_error: Floats
    chernoff: Floats
    nbetas: Floats
    free_energy: Floats
    free_energy_error: Floats
    running: Floats
    running_error: Floats

    @property
    def bits(self) -> Floats:
        """Bits that single out the hypotheses within e of the centre, ``-log2 W(e)``, ``[E]``."""
        return 0.0 - self.log_weight / np.log(2)

    @property
    def free_energy_bits(self) -> Floats:
        """``-log2 Z(t)``, ``[R]``."""
        return self.free_energy / np.log(2)


def hypothesis_weight(
    ladder_nbetas: Floats, ladder_excess: Series, *, levels: Floats | None = None, between: int = 20
) -> HypothesisWeight | None:
    r"""The prior mass W(e) of networks whose loss exceeds the centre's by at most e, from the draws of a temperature ladder.

    .. math:: W(\epsilon) = \frac{\sum_x c(x) 1[K(x) \le \epsilon]}{\sum_x c(x)} \le \min_t e^{t \epsilon} Z(t)

    The sums run over the draws of all rungs with their weights under the prior. Where W behaves as :math:`\epsilon^\lambda` the
    running coefficient is :math:`\lambda`.

    Args:
        ladder_nbetas: t of the rungs, ascending, ``[R]``.
        ladder_excess: K of every draw, R arrays ``[K, D]``.
        levels: e; those of quantiles of the draws unless given.
        between: Temperatures between two rungs at which Chernoff's bound is tried too.

    Returns:
        The curves; None where rungs overlap too little or the first lies too far from the prior.

    Example:
        >>> steps = np.geomspace(1e-3, 10.0, 9)  # K is exponential: W(e) is 1 - exp(-e)
        >>> u = -np.log(np.linspace(0.0005, 0.9995, 1000))[None]
        >>> found = hypothesis_weight(steps, [u / (1 + t) for t in steps], levels=np.array([np.log(2)]))
        >>> round(float(np.exp(found.log_weight[0])), 2)
        0.5
    """
    state = multistate(ladder_nbetas, ladder_excess)
    if not _sound(state):
        return None
    if levels is None:
        levels = np.unique(np.quantile(state.energies, np.linspace(0.005, 0.995, 60)))
    weights = [_measured(state, _below(state, float(level))) for level in levels]
    energies = [_measured(state, -t * state.energies) for t in ladder_nbetas]
    steps = np.linspace(0, len(ladder_nbetas) - 1, between * (len(ladder_nbetas) - 1) + 1)
    t = np.exp(np.interp(steps, np.arange(len(ladder_nbetas)), np.log(ladder_nbetas)))
    log_z = np.array([state.log_mean(-each * state.energies)[0] for each in t])
    running = [t * each for t, each in zip(ladder_nbetas, ladder_excess, strict=True)]
    return HypothesisWeight(
        levels=np.asarray(levels, np.float64),
        log_weight=np.array([value for value, _ in weights]),
        log_weight_error=np.array([error for _, error in weights]),
        chernoff=np.minimum((np.multiply.outer(levels, t) + log_z).min(1), 0.0),
        nbetas=np.asarray(ladder_nbetas, np.float64),
        free_energy=-np.array([value for value, _ in energies]),
        free_energy_error=np.array([error for _, error in energies]),
        running=np.array([each.mean() for each in running]),
        running_error=np.array([monte_carlo_error(each) for each in running]),
    )


def _below(state: Multistate, level: float) -> Floats:
    return np.where(state.energies <= level, 0.0, -np.inf)


def _measured(state: Multistate, logs: Floats) -> tuple[float, float]:
    value, influences = state.log_mean(logs)
    return value, together(influences).error


def _sound(state: Multistate) -> bool:
    return (
        state.settled and state.overlap >= LEAST_OVERLAP and state.prior_draws >= PRIOR_SHARE * float(state.counts[0])
    )
