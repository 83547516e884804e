r"""Transductive bounds: of n nodes m are labelled, drawn without replacement; what of the other u?

Let ``phi = sup_f (R_u(f) - r_m(f))`` for losses in [0, 1], s = min(m, u), Q = 1/m + 1/u.

*Mean.* R_u is the mean of R over random subsets of s unlabelled nodes, and r_m likewise, so that E phi is at most its value for two
disjoint sets of s nodes. Pair the nodes of one set with those of the other at random: given the pairs, fair coins decide which of a
pair is labelled, and with the contraction of a loss that is 1/gamma-Lipschitz in the score f

    E phi <= (1/(gamma s)) (E sup sum_k e_k f(a_k) + E sup sum_k e_k f(b_k)).

Where ``E sup sum_{i in A} e_i f(i) <= kappa sqrt(sum_{i in A} g_i)``, Jensen over the sets gives
``(2 kappa/gamma) sqrt(sum_i g_i/(s n))``.

*Deviation.* Draw the smaller set node by node: exchanging one node of it for one outside moves phi by at most Q, so every step of the
martingale has a range of at most Q, and phi exceeds its mean by ``Q sqrt(s ln(1/delta)/2)`` with probability at most delta
(Hoeffding).

El-Yaniv and Pechyony (2009) reach the same first term by their transductive Rademacher complexity, with another one beside it,
``c0 Q sqrt(s)``, which the pairing does not need.
"""

from math import log, sqrt

import numpy as np

from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.levels import nats
from heldout.engine.numerics.margin_bounds import LARGEST, MarginShares


def linear_weights(diffused: Floats) -> Floats:
    r"""The g of a linear convolution ``S X w`` with ``|w| <= kappa``: :math:`\|(S X)_i\|^2`.

    Args:
        diffused: S X, ``[n, d]``.

    Returns:
        ``[n]``.
    """
    return np.asarray(np.square(diffused).sum(1))


def hidden_weights(matrix: Floats, diffused: Floats) -> Floats:
    r"""The g of ``S relu(S X W) v`` with columns of W of norm at most B and ``|v|_1 <= b``; kappa is :math:`2 \sqrt 2 B b`.

    The functions :math:`z \mapsto \sum_j S_{ij} \mathrm{relu}(z_j)` stretch distances by :math:`\|S_i\|_2`, and distances that are
    weighted by :math:`|S_{ij}|` by the root of the number of neighbours d_i; vector contraction (Maurer 2016) costs
    :math:`\sqrt 2`, and the sign of v a 2. So g is :math:`\|S_i\|^2 \|S X\|_F^2` or
    :math:`d_i \sum_j S_{ij}^2 \|(S X)_j\|^2`, whichever has the smaller sum.

    Args:
        matrix: S, ``[n, n]``.
        diffused: S X, ``[n, d]``.

    Returns:
        ``[n]``.
    """
    rows = np.square(diffused).sum(1)
    whole = np.square(matrix).sum(1) * rows.sum()
    local = (matrix != 0).sum(1) * (np.square(matrix) @ rows)
    return np.asarray(min(whole, local, key=lambda values: values.sum()))


def log_complexity(kappa: Floats, weights: Floats, labelled: int, others: int) -> Floats:
    r"""Logarithm of gamma times the bound on E phi: :math:`2 \kappa \sqrt{\sum_i g_i / (s n)}`.

    Args:
        kappa: ``[M]``.
        weights: g, ``[n]``.
        labelled: m.
        others: u.

    Returns:
        ``[M]``.

    Example:
        >>> float(np.exp(log_complexity(np.ones(1), np.ones(4), 2, 2))[0]).__round__(6)
        1.414214
    """
    s, n = min(labelled, others), labelled + others
    return np.asarray(np.log(2 * kappa * np.sqrt(weights.sum() / (s * n))))


def deviation(labelled: int, others: int, nats_spent: Floats | float) -> Floats:
    r"""How far phi strays above its mean: :math:`Q \sqrt{s\, c / 2}` with probability at most :math:`e^{-c}`.

    Args:
        labelled: m.
        others: u.
        nats_spent: c.

    Returns:
        Of its shape.

    Example:
        >>> round(float(deviation(2000, 2000, 3.0)), 4)
        0.0548
    """
    q = 1 / labelled + 1 / others
    return np.asarray(q * np.sqrt(min(labelled, others) * np.asarray(nats_spent) / 2))


def paired_upper(
    shares: MarginShares, logs: Floats, price: Floats, labelled: int, others: int, log_delta: float
) -> tuple[Floats, Floats]:
    """The best of the bound over margins, each paid for.

    Args:
        shares: Of the labelled nodes.
        logs: Of :func:`log_complexity`, norms risen to their levels, ``[M]``.
        price: Nats of those levels, ``[M]``.
        labelled: m.
        others: u.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and the margins, ``[M]`` each.
    """
    mean = np.exp(np.minimum(logs[:, None] - shares.log_margins, log(LARGEST)))
    spent = -log_delta + price[:, None] + nats(shares.levels)
    values = shares.shares + mean + deviation(labelled, others, spent)
    best = values.argmin(1)
    found = np.take_along_axis(values, best[:, None], axis=1)[:, 0] * (1 + 1e-9)
    return np.minimum(found, LARGEST), np.exp(shares.log_margins[best])


def counting_upper(risk: Floats, log_labellings: float, labelled: int, others: int, log_delta: float) -> Floats:
    r"""The same by counting labellings of the graph: :math:`r + \sqrt{2 \ln \Pi / s}` and the deviation.

    Massart's lemma for the differences of two losses, vectors of s entries in [-1, 1].

    Args:
        risk: On the labelled nodes, ``[M]``.
        log_labellings: ln Pi.
        labelled: m.
        others: u.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1.
    """
    mean = sqrt(2 * log_labellings / min(labelled, others))
    return np.asarray((risk + mean + deviation(labelled, others, -log_delta)) * (1 + 1e-9))
