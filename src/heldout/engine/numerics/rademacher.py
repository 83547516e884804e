r"""Rademacher complexities that can be written down: finite classes, linear ones, and covering numbers by chaining."""

from collections.abc import Callable
from math import log, sqrt

import numpy as np
from scipy.integrate import quad

from heldout.engine.numerics.domain import Floats


def massart(norm: float, members: float, examples: int) -> float:
    r"""Massart's lemma: :math:`\max_a \|a\|_2 \sqrt{2 \ln |A|} / n`.

    Args:
        norm: Largest Euclidean norm of the values of a member on the examples.
        members: How many there are.
        examples: n.

    Returns:
        An upper bound on the Rademacher complexity.

    Example:
        >>> round(massart(10.0, 8, 100), 4)
        0.2039
    """
    return norm * sqrt(2 * log(members)) / examples


def enumerated(values: Floats) -> float:
    r"""The Rademacher complexity of a finite class by all signs: :math:`2^{-n} \sum_\sigma \max_a \sum_i \sigma_i a_i / n`.

    Args:
        values: Of every member on the examples, ``[members, n]``, n at most 20.

    Returns:
        Its exact value.

    Example:
        >>> enumerated(np.array([[1.0, 1.0], [-1.0, -1.0]]))  # |sum of two signs| / 2 on average
        0.5
    """
    n = values.shape[1]
    signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    return float((signs @ values.T).max(axis=1).mean() / n)


def dudley(log_covering: Callable[[float], float], examples: int, *, largest: float = 1.0) -> float:
    r"""Dudley's integral: :math:`\inf_\alpha 4\alpha + \frac{12}{\sqrt n} \int_\alpha^{b} \sqrt{\ln N(u)}\, du`.

    Args:
        log_covering: u -> ln N(u) in the norm ``sqrt(mean of squares)`` over the examples.
        examples: n.
        largest: b, the largest such norm of a member.

    Returns:
        An upper bound on the Rademacher complexity, the best over sixty values of alpha.

    Example:
        >>> bool(dudley(lambda u: log(3 / u), 10000) < 0.2)  # one parameter
        True
    """
    best = 4 * largest
    for alpha in largest * np.geomspace(1e-6, 1.0, 60):
        whole = quad(lambda u: sqrt(max(log_covering(u), 0.0)), alpha, largest, limit=200)[0]
        best = min(best, 4 * alpha + 12 / sqrt(examples) * whole)
    return float(best)
