"""Bits of inductive bias that a task asks for, in the approximation of Boopathy et al. 2023: a band-limited function on a ball."""

import math

import torch
from torch import Tensor


def log_band_limited_bits(
    dimension: Tensor, radius: Tensor, separation: Tensor, *, examples: int, classes: int, error: float
) -> Tensor:
    r"""Natural logarithm of the bits that pick out functions of this test error among those that fit the training set.

    .. math::
        I = D (2 c E - n) \log_2 \frac{\sqrt{D c} \, L W}{\varepsilon}, \quad
        E = \binom{m + K}{m} + \binom{m + K - 1}{m}, \quad K (K + m - 1) = F^2, \quad F = \frac{2 \pi R}{\delta},

    .. math::
        D = c - 1, \quad L = K \sqrt{D} / R, \quad
        \ln W = \ln R + \tfrac12 \ln \tfrac m6 + \tfrac1m \Big[\ln 2 + \tfrac{m+1}2 \ln \pi + \ln c
            - \ln \Gamma\big(\tfrac{m+1}2\big) - \ln n\Big]

    Functions on a sphere of m dimensions and radius R whose finest detail is the distance of two classes have E coefficients;
    the n examples determine as many; each of the rest must be known to the error over what a function can vary, at slope L,
    within the distance W to the nearest example. In the log domain, since E reaches 1e33 for ImageNet.

    Args:
        dimension: m, any shape.
        radius: R, likewise.
        separation: delta, likewise.
        examples: n.
        classes: c.
        error: epsilon, the test error that is asked for.

    Returns:
        Of that shape, float64; NaN where the approximation asks for nothing: the examples determine every coefficient, or the
        error is no smaller than what a function can vary.

    Example:
        ImageNet at 10 % error, with the paper's constants.

        >>> m, r, delta = (torch.tensor(number, dtype=torch.float64) for number in (48.0, 943.59, 65.0))
        >>> bits = log_band_limited_bits(m, r, delta, examples=1280901, classes=1000, error=0.1).exp()
        >>> f"{bits.item():.2e}"
        '3.58e+41'
    """
    m, r, outputs = dimension.double(), radius.double(), classes - 1
    frequency = 2 * math.pi * r / separation.double()
    degree = _degree(m, frequency)
    log_coefficients = torch.logaddexp(_log_binomial(m + degree, m), _log_binomial(m + degree - 1, m))
    known = math.log(examples) - math.log(2 * classes) - log_coefficients
    log_unknown = math.log(2 * classes) + log_coefficients + torch.log(-torch.expm1(known))
    log_near = r.log() + (m / 6).log() / 2
    log_near = log_near + (
        math.log(2) + (m + 1) / 2 * math.log(math.pi) + math.log(classes) - torch.lgamma((m + 1) / 2)
        - math.log(examples)
    ) / m  # fmt: skip
    log_slope = degree.log() + math.log(outputs) / 2 - r.log()
    nats = math.log(outputs * classes) / 2 + log_slope + log_near - math.log(error)
    return math.log(outputs) + log_unknown + torch.log(nats) - math.log(math.log(2))


def _degree(m: Tensor, frequency: Tensor) -> Tensor:
    """Degree of spherical harmonics with this frequency: the positive root, without a difference of near equals."""
    return 2 * frequency.square() / (((m - 1).square() + 4 * frequency.square()).sqrt() + (m - 1))


def _log_binomial(n: Tensor, k: Tensor) -> Tensor:
    return torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)
