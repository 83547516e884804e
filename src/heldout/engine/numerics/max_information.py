r"""Max-information: how much likelier the answer of a private mechanism makes an event about its own sample.

Let A be the answer of an epsilon-differentially private mechanism on n independent examples S, and let
:math:`f_a(S) = \ln p(a|S) - \ln p(a)`. One example moves f by epsilon at most, and :math:`E f_a(S) \le \ln E e^{f_a(S)} = 0`. So
McDiarmid's argument gives, with :math:`v = n \epsilon^2 / 4`,

.. math:: E e^{(1+\lambda) f_a(S)} \le e^{(1+\lambda)^2 v / 2} \quad\text{for } S \text{ independent of } a.

Under the joint law the density of S given a is :math:`e^{f_a}` times that, hence by Markov

.. math:: P(f_A(S) > t) \le e^{(1+\lambda)^2 v / 2 - \lambda t}, \quad
    \min_\lambda = e^{-(t - v)^2 / (2v) + v / 2} \text{ at } \lambda = t/v - 1,

which is beta at :math:`t = v + \sqrt{v^2 + 2 v \ln(1/\beta)}`. Whatever has probability q for an answer that is independent of the
sample has at most :math:`e^t q + \beta` for the mechanism's own. Dwork et al. 2015 (Theorem 20) have
:math:`2 v + \sqrt{2 v \ln(2/\beta)}`, which is larger. Nothing exceeds :math:`\epsilon n`, with beta = 0.
"""

from math import sqrt

import numpy as np

SLACK = 1e-12  # relative, far above what rounding does


def max_information(epsilon: float, examples: int, log_beta: float) -> float:
    """The smaller of both forms above.

    Args:
        epsilon: Of pure differential privacy, an example being replaced.
        examples: n.
        log_beta: Natural logarithm of the probability that the ratio is larger.

    Returns:
        Nats, rounded up.

    Example:
        >>> print(f"{max_information(0.1, 400, -4.0):.3f}")  # v = 1: 1 + sqrt(1 + 8)
        4.000
    """
    v = examples * epsilon**2 / 4
    return float(np.nextafter(min(epsilon * examples, v + sqrt(v**2 - 2 * v * log_beta)) * (1 + SLACK), np.inf))
