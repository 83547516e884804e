"""What information allows: expected gaps of a loss in [0, 1], and the information of Gaussian noise on what moves."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.records import Refusal

Values = NDArray[np.float64]


def xu_raginsky_gap(information: ArrayLike, examples: int) -> Values:
    r"""Xu and Raginsky (2017), Theorem 1: :math:`|E[R - \hat R]| \le \sqrt{I(W; S) / (2 n)}`.

    A loss in [0, 1] is 1/2-subgaussian, and :math:`\sqrt{2 \sigma^2 I / n}` is this.

    Args:
        information: In nats, ``[...]``.
        examples: n.

    Returns:
        ``[...]``.

    Example:
        >>> xu_raginsky_gap(8.0, 100).item()
        0.2
    """
    return np.sqrt(np.asarray(information, dtype=np.float64) / (2 * _positive("examples", examples)))


def individual_gap(information: ArrayLike) -> Values:
    r"""Bu, Zou and Veeravalli (2020), Proposition 1: :math:`\frac1n \sum_i \sqrt{I(W; Z_i) / 2}`.

    Args:
        information: Of every example in nats, ``[..., n]``.

    Returns:
        ``[...]``.

    Example:
        >>> individual_gap([0.5, 0.0]).item()
        0.25
    """
    return np.asarray(np.sqrt(np.asarray(information, dtype=np.float64) / 2).mean(-1))


def supersample_gap(information: ArrayLike, pairs: int) -> Values:
    r"""Steinke and Zakynthinou (2020), Theorem 1.2: :math:`|E[R - \hat R]| \le \sqrt{2 I(W; U | \tilde Z) / n}`.

    Args:
        information: In nats, at most n ln 2, ``[...]``.
        pairs: n.

    Returns:
        ``[...]``; at the most information it is the root of 2 ln 2 = 1.177..., which says nothing.

    Example:
        >>> print(f"{supersample_gap(50 * np.log(2), 50):.3f}")
        1.177
    """
    return np.sqrt(2 * np.asarray(information, dtype=np.float64) / _positive("pairs", pairs))


def supersample_risk(information: ArrayLike, pairs: int) -> Values:
    r"""The same where every seen example is right: :math:`E[R] \le I(W; U | \tilde Z) / (n \ln 2)`.

    Args:
        information: In nats, at most n ln 2, ``[...]``.
        pairs: n.

    Returns:
        ``[...]``, at most 1.

    Example:
        >>> print(f"{supersample_risk(5 * np.log(2), 50):.2f}")
        0.10
    """
    return np.asarray(information, dtype=np.float64) / (_positive("pairs", pairs) * math.log(2))


def noisy_information(squares: ArrayLike, sizes: ArrayLike, noise: ArrayLike) -> Values:
    r"""Most information that W plus Gaussian noise can have of what W depends on, W moving so much about its mean, in nats.

    .. math:: I(W + \sigma \xi; S) \le \sum_t \frac{P_t}{2} \ln\Big(1 + \frac{E|W_t - E W_t|^2}{P_t \sigma^2}\Big)

    :math:`I = h(W + \sigma\xi) - h(\sigma\xi)` for W a function of S; an entropy is at most the sum of its blocks', and of those
    of one second moment that of the isotropic Gaussian is the largest. Equality for isotropic Gaussian blocks. At no noise it is
    infinite unless nothing moves.

    Args:
        squares: Expected squared distance from the mean of every block, ``[..., T]``.
        sizes: Their numbers of coordinates P_t, ``[T]``.
        noise: Standard deviation, ``[...]``.

    Returns:
        ``[...]``.

    Example:
        >>> print(f"{noisy_information([3.0], [1], 1.0):.4f}")  # ln(4) / 2
        0.6931
    """
    moved, count = np.asarray(squares, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    variance = np.square(np.asarray(noise, dtype=np.float64))[..., None] * count
    with np.errstate(divide="ignore"):
        ratio = np.divide(moved, variance, out=np.zeros(np.broadcast(moved, variance).shape), where=moved > 0)
    return np.asarray((count / 2 * np.log1p(ratio)).sum(-1))


def single_information(squares: ArrayLike, changes: ArrayLike, sizes: ArrayLike, noise: ArrayLike) -> Values:
    r"""Information that W plus Gaussian noise has of one example, as if W and W given the example were Gaussian, in nats.

    .. math:: I(W + \sigma \xi; Z_i) \approx \sum_t \frac{P_t}{2} \ln \frac{v_t + \sigma^2}{v_t - s_t + \sigma^2}, \quad
        v_t = \frac{E|W_t - E W_t|^2}{P_t}, \quad s_t = \frac{E|W_t - W_t^{(i)}|^2}{2 P_t}

    Half the squared change is the variance given all other examples, which is at least what the example alone explains (Efron and
    Stein): s is too large where examples interact, and the information with it. Exact for a mean of Gaussians, also without noise.

    Args:
        squares: Expected squared distance from the mean of every block, ``[..., T]``.
        changes: Half the expected squared change when the example is replaced, ``[..., T]``; more than ``squares`` counts as all.
        sizes: Their numbers of coordinates P_t, ``[T]``.
        noise: Standard deviation, ``[...]``.

    Returns:
        ``[...]``.

    Example:
        >>> print(f"{single_information([1 / 10], [1 / 100], [1], 0.0):.4f}")  # a mean of 10: ln(10 / 9) / 2
        0.0527
    """
    whole, one = np.asarray(squares, dtype=np.float64), np.asarray(changes, dtype=np.float64)
    count = np.asarray(sizes, dtype=np.float64)
    rest = np.maximum(whole - one, 0.0) + np.square(np.asarray(noise, dtype=np.float64))[..., None] * count
    explained = np.minimum(one, whole)
    with np.errstate(divide="ignore"):
        ratio = np.divide(explained, rest, out=np.zeros(np.broadcast(explained, rest).shape), where=explained > 0)
    return np.asarray((count / 2 * np.log1p(ratio)).sum(-1))


def private_information(epsilon: float, examples: int) -> float:
    r"""Most information that an :math:`\varepsilon`-differentially private output has of its examples, in nats.

    .. math:: I(W; S) \le \sum_i I(W; Z_i | Z_{-i}) \le n \varepsilon \tanh(\varepsilon / 2)

    The examples are independent; neighbours' laws have ratios within :math:`e^{\pm\varepsilon}`, and of such pairs the coin with
    odds :math:`e^{\pm\varepsilon}` has the largest divergence.

    Args:
        epsilon: Of the training.
        examples: n.

    Returns:
        Nats.

    Example:
        >>> print(f"{private_information(0.1, 100):.3f}")
        0.500
    """
    return _positive("examples", examples) * _positive("epsilon", epsilon) * math.tanh(epsilon / 2)


def _positive(name: str, value: float) -> float:
    if not value > 0:
        raise Refusal(given=f"{name} was {value:g}", expected="a number above 0", do=f"pass the {name} of the training")
    return value
