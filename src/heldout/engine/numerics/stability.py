"""Uniform stability of stochastic gradient descent (Hardt et al. 2016), and what it promises (Bousquet and Elisseeff 2002)."""

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.numerics.domain import Floats


def convex_stability(lipschitz: ArrayLike, rates: ArrayLike, examples: int) -> Floats:
    r"""Stability of gradient steps of at most 2/smoothness on a convex loss, Theorem 3.8: :math:`\frac{2 L^2}{n} \sum_t \alpha_t`.

    Args:
        lipschitz: L, ``[...]``.
        rates: Step sizes, ``[T]``.
        examples: n.

    Returns:
        ``[...]``, in units of the loss.

    Example:
        >>> round(float(convex_stability(1.0, [0.1] * 50, 100)), 9)
        0.1
    """
    return np.asarray(2 * np.square(np.asarray(lipschitz, dtype=np.float64)) / examples * np.sum(rates))


def nonconvex_stability(lipschitz: ArrayLike, smoothness: ArrayLike, scale: float, steps: int, examples: int) -> Floats:
    r"""Stability with steps of at most c/t on any smooth loss in [0, 1], Theorem 3.12.

    .. math:: \frac{1 + 1/(\beta c)}{n - 1} (2 c L^2)^{1/(\beta c + 1)} T^{\beta c/(\beta c + 1)}

    Args:
        lipschitz: L.
        smoothness: beta.
        scale: c.
        steps: T.
        examples: n.

    Returns:
        In units of the loss.

    Example:
        >>> round(float(nonconvex_stability(1.0, 1.0, 0.5, 1000, 10001)), 4)
        0.003
    """
    l, beta = np.asarray(lipschitz, dtype=np.float64), np.asarray(smoothness, dtype=np.float64)  # noqa: E741
    power = 1 / (beta * scale + 1)
    return np.asarray(
        (1 + 1 / (beta * scale)) / (examples - 1) * (2 * scale * l**2) ** power * float(steps) ** (1 - power)
    )


def uniform_stability_upper(
    risk: ArrayLike, stability: ArrayLike, examples: int, log_delta: float, *, largest: float = 1.0
) -> Floats:
    r"""What uniform stability promises with probability 1 - delta, Theorem 12 of Bousquet and Elisseeff.

    .. math:: \hat R + 2\beta + (4 n \beta + M) \sqrt{\frac{\ln(1/\delta)}{2n}}

    Args:
        risk: Empirical risk.
        stability: beta.
        examples: n.
        log_delta: Natural logarithm of the failure probability.
        largest: M, the largest loss.

    Returns:
        The bound, not cut at M.

    Example:
        >>> round(float(uniform_stability_upper(0.1, 1e-4, 10000, np.log(0.05))), 4)
        0.1614
    """
    beta = np.asarray(stability, dtype=np.float64)
    width = (4 * examples * beta + largest) * np.sqrt(-log_delta / (2 * examples))
    return np.nextafter(np.asarray(risk, dtype=np.float64) + 2 * beta + width, np.inf)
