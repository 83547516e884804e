"""Criteria that foresee the loss on new data, or the free energy, from the draws alone."""

import numpy as np
from scipy.special import logsumexp

from heldout.catalog import observable
from heldout.engine.numerics.pareto_smoothing import smoothed_weights
from heldout.engine.sampling.convergence import Floats

Observed = tuple[float, Floats]
TRUSTED_SHAPE = 0.7  # Pareto shape beyond which an example's weights are not to be trusted (Vehtari et al. 2024)
UNTRUSTED = 0.01  # share of such examples that is borne


@observable(source="Watanabe 2010, WAIC, equation 5", unit_of_value="nats", likelihood=True)
def waic(draw_losses: Floats, beta: float) -> Observed:
    r"""Widely applicable information criterion: what the posterior's mean prediction will lose on a new example.

    .. math:: W = -\frac{1}{n} \sum_i \ln E_w[p(y_i \mid x_i, w)] + \frac{\beta}{n} \sum_i \operatorname{Var}_w[\ln p(y_i
    \mid x_i, w)]

    Its mean over data sets is that of the test loss up to :math:`o(1/n)`, for singular models too, at any temperature: it
    speaks of the posterior at the temperature that was sampled. It presumes that the examples are independent.

    Args:
        draw_losses: ``[K, D, N]``.
        beta: Inverse temperature.

    Returns:
        The criterion, and the influence of every draw.

    Example:
        >>> round(waic(np.array([[[1.0], [1.0]]]), 1.0)[0], 6)
        1.0
    """
    draws = draw_losses.shape[0] * draw_losses.shape[1]
    log_mean = logsumexp(-draw_losses, axis=(0, 1)) - np.log(draws)
    squares = np.square(draw_losses - draw_losses.mean((0, 1)))
    value = (-log_mean + beta * squares.mean((0, 1))).mean()
    influence = 1 - np.exp(-draw_losses - log_mean).mean(2) + beta * (squares - squares.mean((0, 1))).mean(2)
    return float(value), influence


@observable(
    source="Watanabe 2013, WBIC",
    unit_of_value="nats",
    undefined="WBIC is defined at the inverse temperature 1 / ln n, and another was sampled",
    likelihood=True,
)
def wbic(mean_losses: Floats, beta: float, examples: int) -> Observed:
    r"""Widely applicable Bayesian information criterion, which approximates the free energy.

    .. math:: \mathrm{WBIC} = E_{\beta = 1 / \ln n}[n L_n(w)] = n L_n(w^*) + \lambda \ln n + O_p(\sqrt{\ln n})

    Here the prior is the Gaussian that holds the chains near their centre.

    Args:
        mean_losses: ``[K, D]``.
        beta: Inverse temperature.
        examples: n.

    Returns:
        The criterion, and the influence of every draw.

    Example:
        >>> round(wbic(np.array([[0.1, 0.3]]), 1 / np.log(100), 100)[0], 6)
        20.0
    """
    fits = abs(beta * np.log(examples) - 1) < 0.01
    series = examples * mean_losses
    return float(series.mean()) if fits else float("nan"), series - series.mean()


@observable(
    source="Vehtari, Gelman and Gabry 2017, equation 10, with Pareto-smoothed weights",
    unit_of_value="nats",
    undefined="more than 1 % of the examples weigh so much that the posterior without them cannot be reached from these draws",
    likelihood=True,
)
def leave_one_out_loss(draw_losses: Floats, beta: float) -> Observed:
    r"""Leave-one-out loss of the posterior's mean prediction, by importance sampling.

    .. math:: -\frac{1}{n} \sum_i \ln \frac{\sum_s r_{is}\, p(y_i \mid x_i, w_s)}{\sum_s r_{is}}, \quad
        r_{is} \approx p(y_i \mid x_i, w_s)^{-\beta}

    The ratios are Pareto-smoothed.

    Args:
        draw_losses: ``[K, D, N]``.
        beta: Inverse temperature.

    Returns:
        The loss, NaN where too many weights cannot be trusted, and the influence of every draw.

    Example:
        >>> round(leave_one_out_loss(np.ones((2, 50, 3)), 1.0)[0], 6)
        1.0
    """
    chains, draws, examples = draw_losses.shape
    flat = draw_losses.reshape(-1, examples)
    logs, shape = smoothed_weights(beta * flat)
    log_mean = logsumexp(logs - flat, axis=0)
    influence = (np.exp(logs) - np.exp(logs - flat - log_mean)).mean(1) * len(flat)
    trusted = np.mean(shape > TRUSTED_SHAPE) <= UNTRUSTED
    return float(-log_mean.mean()) if trusted else float("nan"), influence.reshape(chains, draws)
