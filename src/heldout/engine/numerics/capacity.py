r"""How many labellings a class has: Sauer's sum, polynomials' sign vectors, dimensions, and the bounds of Vapnik, in the log domain.

A class that gives at most Pi(m) labellings to any m examples has, with probability 1 - delta over n examples, for all members at once

    R <= r + sqrt((8/n) ln(4 Pi(2n)/delta))                                       (Vapnik and Chervonenkis 1971)
    R <= r + (a/2) (1 + sqrt(1 + 4 r/a)),  a = (4/n) ln(4 Pi(2n)/delta)           (relative deviations)

The second solves (R - r)/sqrt(R) <= sqrt(a), which Anthony and Shawe-Taylor (1993, Theorem 2.1) show with 4 Pi(2n) exp(-n a/4).
"""

from collections.abc import Callable, Sequence
from math import e, log

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from heldout.engine.numerics.domain import Floats

#: Relative error of the sums of logarithms here, far above what rounding does; results are raised by it.
ROUNDING = 1e-12


def log_sauer(examples: int, dimension: int) -> float:
    r"""Logarithm of the most labellings of m examples by a class of VC dimension d: :math:`\ln \sum_{i \le d} \binom{m}{i}`.

    Args:
        examples: m.
        dimension: d.

    Returns:
        Nats; ``m ln 2`` where the class may shatter them all.

    Example:
        >>> print(f"{np.exp(log_sauer(5, 2)):.4f}")  # 1 + 5 + 10
        16.0000
    """
    if dimension >= examples:
        return examples * log(2.0)
    i = np.arange(dimension + 1.0)
    return float(logsumexp(gammaln(examples + 1) - gammaln(i + 1) - gammaln(examples - i + 1)) * (1 + ROUNDING))


def log_sign_vectors(polynomials: float, degree: float, variables: float) -> float:
    r"""Logarithm of the most sign vectors that p polynomials of degree D in w variables take, signs being ``> 0`` and ``<= 0``.

    .. math:: \min\left(p \ln 2,\; \ln 2 + w \ln \frac{2 e p D}{w}\right)

    the second where w <= p (Warren 1968; Anthony and Bartlett 1999, Theorem 8.3).

    Args:
        polynomials: p.
        degree: D.
        variables: w.

    Returns:
        Nats.

    Example:
        >>> round(log_sign_vectors(3, 1, 10) / log(2), 9)  # fewer polynomials than variables: any signs
        3.0
    """
    if variables > polynomials:
        return polynomials * log(2.0)
    return min(polynomials * log(2.0), log(2.0) + variables * log(2 * e * polynomials * degree / variables))


def log_piecewise_linear(
    examples: int, parameters: Sequence[int], pieces: Sequence[Sequence[int]], classes: int
) -> float:
    r"""Logarithm of the most labellings of m examples by all weights of a piecewise linear network.

    .. math:: \sum_i \sum_s \ln S(m k_{is}, i, W_i) + \ln S\left(m \tbinom{C}{2}, L, W_L\right)

    S counts sign vectors, s the stages of comparisons after layer i, such as a maximum and then a ReLU of it. Given on which side of
    its break every piece before lies, the values of layer i are polynomials of degree i in the :math:`W_i` parameters up to it; so
    stage after stage cuts the space of weights into regions, and in the last the label follows from the signs of the differences of
    C scores (Bartlett, Harvey, Liaw and Mehrabian 2019, proof of Theorem 6, with differences of scores for the last layer, so that
    it holds for any number of classes). Ties go to the first.

    Args:
        examples: m.
        parameters: Parameters of layers 1 to L, weights and biases.
        pieces: Comparisons for an example at every stage after each of the L layers: one a unit of a ReLU, more for maximum pooling.
        classes: C.

    Returns:
        Nats, at most ``m ln C``.

    Example:
        >>> round(log_piecewise_linear(100, [3], [()], 2), 3)  # planes in two dimensions
        16.292
    """
    total, so_far = 0.0, 0
    for layer, (own, stages) in enumerate(zip(parameters, pieces, strict=True), start=1):
        so_far += own
        total += sum(log_sign_vectors(examples * count, layer, so_far) for count in stages if count)
    total += log_sign_vectors(examples * classes * (classes - 1) / 2, len(parameters), so_far)
    return float(min(total * (1 + ROUNDING), examples * log(classes)))


def dimension(log_growth: Callable[[int], float]) -> int:
    r"""The largest m whose every labelling by two classes the growth function allows: no larger set can be shattered.

    It bounds the VC dimension, of several classes the Natarajan dimension, and of networks with one real output, a threshold counted
    as one more bias, the pseudo-dimension.

    Args:
        log_growth: m -> nats.

    Returns:
        The bound.

    Example:
        >>> dimension(lambda m: log_sauer(m, 7))
        7
    """
    high = 1
    while log_growth(high) >= high * log(2.0) * (1 - 1e-9):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        shattered = log_growth(middle) >= middle * log(2.0) * (1 - 1e-9)
        low, high = (middle, high) if shattered else (low, middle)
    return low


def vapnik_upper(risk: ArrayLike, log_growth: float, examples: int, log_delta: float) -> Floats:
    """The additive bound above.

    Args:
        risk: r, ``[...]``.
        log_growth: ln Pi(2n).
        examples: n.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1: by how much it is empty is what it shows.
    """
    width = np.sqrt(8 / examples * (log(4.0) + log_growth - log_delta))
    return np.nextafter((np.asarray(risk, dtype=np.float64) + width) * (1 + ROUNDING), np.inf)


def relative_upper(risk: ArrayLike, log_growth: float, examples: int, log_delta: float) -> Floats:
    """The bound by relative deviations above.

    Args:
        risk: r, ``[...]``.
        log_growth: ln Pi(2n).
        examples: n.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1.
    """
    a = 4 / examples * (log(4.0) + log_growth - log_delta)
    observed = np.asarray(risk, dtype=np.float64)
    return np.nextafter((observed + a / 2 * (1 + np.sqrt(1 + 4 * observed / a))) * (1 + ROUNDING), np.inf)


def fat_shattering_linear(scale: float, radius: float, norm: float) -> float:
    r"""Fat-shattering dimension of linear functions of norm at most B on inputs of norm at most r: :math:`(B r / \gamma)^2`.

    Bartlett and Shawe-Taylor 1999, Theorem 1.6.

    Args:
        scale: gamma.
        radius: r.
        norm: B.

    Returns:
        The dimension's bound.

    Example:
        >>> fat_shattering_linear(0.5, 1.0, 2.0)
        16.0
    """
    return (norm * radius / scale) ** 2
