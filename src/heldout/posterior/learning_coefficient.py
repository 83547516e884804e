"""The local learning coefficient, by three estimators that fail in different ways."""

import numpy as np

from heldout.catalog import observable
from heldout.engine.sampling.convergence import Floats

Observed = tuple[float, Floats]


@observable(source="Watanabe 2013, WBIC; Lau et al. 2023, definition of the local learning coefficient")
def learning_coefficient(mean_losses: Floats, centre_losses: Floats, nbeta: float) -> Observed:
    r"""Local learning coefficient: how much the loss rises above its centre's, in units of temperature.

    .. math:: \hat\lambda = n\beta \left(E[L_n(w)] - L_n(w^*)\right)

    Half the number of parameters for a regular model, less for a singular one; it takes the place of that number in the free energy,
    :math:`n L_n + \lambda \ln n`. At finite n it lies below its limit by :math:`(m - 1) / \ln n\beta` where the multiplicity
    m exceeds 1, and the Gaussian that holds the chains lowers it further. It presumes that the centre is a minimum.

    Args:
        mean_losses: ``[K, D]``.
        centre_losses: ``[N]``.
        nbeta: n times the inverse temperature.

    Returns:
        The coefficient, and the influence of every draw.

    Example:
        >>> learning_coefficient(np.array([[0.3, 0.5]]), np.array([0.1, 0.3]), 10.0)[0]
        2.0
    """
    mean = mean_losses.mean()
    return float(nbeta * (mean - centre_losses.mean())), nbeta * (mean_losses - mean)


@observable(
    source="Watanabe 2013, two temperatures (equation 20 of the WBIC paper); importance weights",
    undefined="the draws do not reach the second temperature: their importance weights are worth less than a tenth of them",
)
def learning_coefficient_two_temperatures(mean_losses: Floats, nbeta: float, examples: int) -> Observed:
    r"""Learning coefficient from the mean loss at two temperatures, which needs no centre.

    .. math:: \hat\lambda = \frac{E_{\beta_1}[n L_n] - E_{\beta_2}[n L_n]}{1/\beta_1 - 1/\beta_2}, \quad
        \beta_2 = \beta_1 \left(1 + \frac{1}{\sqrt{2 \ln n}}\right)

    The second mean is taken over the same draws with weights :math:`e^{-(\beta_2 - \beta_1) n L_n}`. It lies between the
    estimate from the centre and that from the heat capacity.

    Args:
        mean_losses: ``[K, D]``.
        nbeta: n times the inverse temperature beta_1.
        examples: n.

    Returns:
        The coefficient, NaN where the weights are worth too little, and the influence of every draw.

    Example:
        >>> losses = np.random.default_rng(0).gamma(1.5, 0.01, size=(8, 5000))  # of a regular model with three parameters
        >>> round(learning_coefficient_two_temperatures(losses, 100.0, 1000)[0], 1)
        1.5
    """
    second = nbeta * (1 + 1 / np.sqrt(2 * np.log(max(examples, 3))))
    logs = -(second - nbeta) * mean_losses
    weights = np.exp(logs - logs.max())
    weights = weights / weights.mean()
    scale = 1 / (1 / nbeta - 1 / second)
    other = (weights * mean_losses).mean()
    mean = mean_losses.mean()
    influence = scale * ((mean_losses - mean) - weights * (mean_losses - other))
    worth = 1 / np.square(weights).mean()
    return float(scale * (mean - other)) if worth > 0.1 else float("nan"), influence


@observable(source="Watanabe 2009, fluctuation of the log likelihood; heat capacity of the loss")
def learning_coefficient_heat_capacity(mean_losses: Floats, nbeta: float) -> Observed:
    r"""Learning coefficient from the fluctuation of the loss, which needs no centre and cannot be negative.

    .. math:: \hat\lambda = (n\beta)^2 \operatorname{Var}[L_n(w)]

    Equal to the others where the loss's law is that of its limit, a gamma law. A difference from the estimate by the centre is the
    slope :math:`d\hat\lambda / d\ln n\beta`: a multiplicity above 1, the pull of the Gaussian that holds the chains, or
    draws that are not yet in equilibrium.

    Args:
        mean_losses: ``[K, D]``.
        nbeta: n times the inverse temperature.

    Returns:
        The coefficient, and the influence of every draw.

    Example:
        >>> round(learning_coefficient_heat_capacity(np.array([[0.1, 0.3]]), 10.0)[0], 6)
        1.0
    """
    squares = np.square(nbeta * (mean_losses - mean_losses.mean()))
    return float(squares.mean()), squares - squares.mean()


@observable(source="Watanabe 2009, theorem 7.6: t E_t[K] = lambda - (m - 1) / ln t; its derivative in ln t")
def learning_coefficient_slope(mean_losses: Floats, centre_losses: Floats, nbeta: float) -> Observed:
    r"""How the learning coefficient still changes with ln n: the estimate by the centre less the heat capacity.

    .. math:: \frac{d\hat\lambda}{d \ln n\beta} = \hat\lambda - (n\beta)^2 \operatorname{Var}[L_n]

    Zero once the limit is reached. A multiplicity m makes it :math:`(m - 1) / \ln^2 n\beta`, so that
    :math:`\hat\lambda + \ln(n\beta)` times this slope corrects the coefficient for its logarithm; flat directions that the data have
    not yet bounded make it positive too.

    Args:
        mean_losses: ``[K, D]``.
        centre_losses: ``[N]``.
        nbeta: n times the inverse temperature.

    Returns:
        The slope, and the influence of every draw.

    Example:
        >>> abs(round(learning_coefficient_slope(np.array([[0.1, 0.3]]), np.array([0.1]), 10.0)[0], 6))
        0.0
    """
    centred = nbeta * (mean_losses - mean_losses.mean())
    value = nbeta * (mean_losses.mean() - centre_losses.mean()) - np.square(centred).mean()
    return float(value), centred - np.square(centred) + np.square(centred).mean()
