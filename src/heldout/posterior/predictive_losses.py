"""Losses of the posterior as a predictor, and the fluctuations that link them."""

import numpy as np
from scipy.special import logsumexp

from heldout.catalog import observable
from heldout.engine.sampling.convergence import Floats

Observed = tuple[float, Floats]
SOURCE = "Watanabe 2009, chapter 6; 2010, equations of state"


@observable(source=SOURCE, unit_of_value="nats", likelihood=True)
def bayes_training_loss(draw_losses: Floats) -> Observed:
    r"""Training loss of the posterior's mean prediction.

    .. math:: T = -\frac{1}{n} \sum_i \ln E_w[p(y_i \mid x_i, w)]

    Args:
        draw_losses: ``[K, D, N]``.

    Returns:
        The loss, and the influence of every draw.

    Example:
        >>> round(bayes_training_loss(-np.log(np.array([[[0.2], [0.6]]])))[0], 6), round(-float(np.log(0.4)), 6)
        (0.916291, 0.916291)
    """
    return _bayes(draw_losses)


@observable(source=SOURCE, unit_of_value="nats", likelihood=True)
def bayes_test_loss(test_draw_losses: Floats) -> Observed:
    r"""Test loss of the posterior's mean prediction.

    .. math:: G = -\frac{1}{n'} \sum_i \ln E_w[p(y_i \mid x_i, w)]

    Its error bar is that of sampling the posterior; that of sampling test examples comes on top.

    Args:
        test_draw_losses: ``[K, D, N']``.

    Returns:
        The loss, and the influence of every draw.

    Example:
        >>> round(bayes_test_loss(-np.log(np.array([[[0.2], [0.6]]])))[0], 6), round(-float(np.log(0.4)), 6)
        (0.916291, 0.916291)
    """
    return _bayes(test_draw_losses)


@observable(source=SOURCE, unit_of_value="nats")
def gibbs_training_loss(draw_losses: Floats) -> Observed:
    r"""Training loss of one network drawn from the posterior, on average.

    .. math:: \frac{1}{n} \sum_i E_w[-\ln p(y_i \mid x_i, w)]

    Args:
        draw_losses: ``[K, D, N]``.

    Returns:
        The loss, and the influence of every draw.

    Example:
        >>> gibbs_training_loss(np.array([[[1.0, 2.0], [3.0, 4.0]]]))[0]
        2.5
    """
    return _gibbs(draw_losses)


@observable(source=SOURCE, unit_of_value="nats")
def gibbs_test_loss(test_draw_losses: Floats) -> Observed:
    r"""Test loss of one network drawn from the posterior, on average.

    .. math:: \frac{1}{n'} \sum_i E_w[-\ln p(y_i \mid x_i, w)]

    Args:
        test_draw_losses: ``[K, D, N']``.

    Returns:
        The loss, and the influence of every draw.

    Example:
        >>> gibbs_test_loss(np.array([[[1.0, 2.0], [3.0, 4.0]]]))[0]
        2.5
    """
    return _gibbs(test_draw_losses)


@observable(source="Watanabe 2010, WAIC, equation 6", likelihood=True)
def functional_variance(draw_losses: Floats) -> Observed:
    r"""Sum of the posterior variances of every example's log-likelihood.

    .. math:: V_n = \sum_i \operatorname{Var}_w[\ln p(y_i \mid x_i, w)]

    Not the variance of the sum, which is the heat capacity.

    Args:
        draw_losses: ``[K, D, N]``.

    Returns:
        The sum, and the influence of every draw.

    Example:
        >>> functional_variance(np.array([[[1.0, 2.0], [3.0, 6.0]]]))[0]
        5.0
    """
    squares = np.square(draw_losses - draw_losses.mean((0, 1))).sum(2)
    return float(squares.mean()), squares - squares.mean()


@observable(source="Watanabe 2010: E[V_n] = 2 nu / beta", likelihood=True)
def singular_fluctuation(draw_losses: Floats, beta: float) -> Observed:
    r"""Singular fluctuation, the second coefficient of a singular model beside the learning coefficient.

    .. math:: \hat\nu = \tfrac{1}{2} \beta V_n

    Half the number of parameters for a regular model. The gap between test and training loss of the Bayesian predictor is
    :math:`2 \nu / n` on average.

    Args:
        draw_losses: ``[K, D, N]``.
        beta: Inverse temperature.

    Returns:
        The fluctuation, and the influence of every draw.

    Example:
        >>> singular_fluctuation(np.array([[[1.0, 2.0], [3.0, 6.0]]]), 0.4)[0]
        1.0
    """
    squares = 0.5 * beta * np.square(draw_losses - draw_losses.mean((0, 1))).sum(2)
    return float(squares.mean()), squares - squares.mean()


def _bayes(losses: Floats) -> Observed:
    draws = losses.shape[0] * losses.shape[1]
    log_mean = logsumexp(-losses, axis=(0, 1)) - np.log(draws)
    influence = 1 - np.exp(-losses - log_mean).mean(2)
    return float(-log_mean.mean()), influence


def _gibbs(losses: Floats) -> Observed:
    series = losses.mean(2)
    return float(series.mean()), series - series.mean()
