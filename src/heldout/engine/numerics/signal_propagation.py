"""Signals in wide random networks: lengths, correlations, and the line between order and chaos."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

Activation = Callable[[np.ndarray], np.ndarray]
# the trapezoidal rule converges faster than any power of the step for smooth functions under a Gaussian
_NODES = np.linspace(-12, 12, 6001)
_WEIGHTS = np.exp(-(_NODES**2) / 2)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def gaussian_mean(function: Activation, variance: float) -> float:
    """Expectation of a function of a centred Gaussian, by quadrature.

    Args:
        function: Vectorised.
        variance: Of the Gaussian.

    Returns:
        The expectation.

    Example:
        >>> round(gaussian_mean(np.square, 3.0), 10)
        3.0
    """
    return float(_WEIGHTS @ function(np.sqrt(variance) * _NODES))


def next_length(variance: float, weight_variance: float, bias_variance: float, activation: Activation) -> float:
    """Variance of a layer's pre-activations from that of the layer before: ``sigma_w^2 E[phi^2] + sigma_b^2``.

    Args:
        variance: q of the layer before.
        weight_variance: sigma_w^2; weights have this over the fan-in.
        bias_variance: sigma_b^2.
        activation: phi.

    Returns:
        q of the layer.
    """
    return weight_variance * gaussian_mean(lambda z: activation(z) ** 2, variance) + bias_variance


def fixed_length(weight_variance: float, bias_variance: float, activation: Activation) -> float:
    """The variance q* that layers come to, for bounded activations.

    Args:
        weight_variance: sigma_w^2.
        bias_variance: sigma_b^2; positive, so that q* is.
        activation: phi, bounded by 1 in absolute value.

    Returns:
        q*.
    """
    most = weight_variance + bias_variance
    return float(
        brentq(lambda q: next_length(q, weight_variance, bias_variance, activation) - q, 1e-12, most + 1, xtol=1e-14)
    )


def chi(weight_variance: float, bias_variance: float, activation: Activation, slope: Activation) -> float:
    """The factor by which a small difference between two inputs grows a layer: ``sigma_w^2 E[phi'(sqrt(q*) z)^2]``.

    Below 1 the network is ordered, above 1 chaotic.

    Args:
        weight_variance: sigma_w^2.
        bias_variance: sigma_b^2.
        activation: phi.
        slope: Its derivative.

    Returns:
        chi_1.

    Example:
        >>> tanh_slope = lambda z: 1 / np.cosh(z) ** 2
        >>> round(chi(1.5**2, 0.05**2, np.tanh, tanh_slope), 3)
        1.137
    """
    q = fixed_length(weight_variance, bias_variance, activation)
    return weight_variance * gaussian_mean(lambda z: slope(z) ** 2, q)


def depth_scale(chi_one: float) -> float:
    """Layers over which a signal is forgotten: ``1 / |ln chi_1|``.

    Args:
        chi_one: chi_1.

    Returns:
        xi; infinite on the line between order and chaos.
    """
    return float("inf") if chi_one == 1 else float(1 / abs(np.log(chi_one)))
