r"""Quantities that are read off the data, such as norms and margins, paid for as if they had been guessed beforehand.

Before the data are seen every level :math:`\text{base}^j`, j a whole number, gets the share :math:`1 / (c (|j| + 1)^2)` of the
failure probability, with :math:`c = \sum_j (|j|+1)^{-2} = \pi^2/3 - 1`. Afterwards the quantity is rounded up to its level, and the
level costs :math:`\ln c + 2 \ln(|j| + 1)` nats.
"""

from math import log, pi

import numpy as np

from heldout.engine.numerics.domain import Floats

SHARES = pi**2 / 3 - 1


def nats(level: Floats) -> Floats:
    """The price of a level.

    Args:
        level: j, whole numbers.

    Returns:
        Nats.

    Example:
        >>> bool(abs(np.exp(-nats(np.arange(-10**6, 10**6 + 1.0))).sum() - 1) < 1e-5)
        True
    """
    return np.asarray(log(SHARES) + 2 * np.log(np.abs(level) + 1))


def risen(log_values: Floats, base: float) -> tuple[Floats, Floats]:
    """Positive quantities, given by their logarithms, risen to their level.

    Args:
        log_values: Natural logarithms; what is smaller than level -1000, such as minus infinity for 0, goes there.
        base: Above 1.

    Returns:
        Logarithms of the levels, and their price in nats.

    Example:
        >>> logs, price = risen(np.log(np.array([5.0])), 2.0)
        >>> print(f"{np.exp(logs[0]):.6f}, {price[0]:.3f} nats")
        8.000000, 3.601 nats
    """
    step = log(base)
    level = np.maximum(np.ceil(np.maximum(log_values, -1000 * step) / step - 1e-12), -1000)
    return (level + 1e-12) * step, nats(level)
