r"""Transduction: N = m + u fixed examples, a uniform draw says which m are labelled, and the rest is to be known.

For loss vectors v in [0, 1]^N out of a set V, with Q = 1/m + 1/u, over the draw, for all of V at once,

    mean_u v <= mean_m v + TRC(V) + count + sqrt(S Q ln(1/delta) / 2),     S = N / ((N - 1/2)(1 - 1/(2 max(m, u)))),
    TRC(V) = Q E sup_v sum_i sigma_i v_i,  sigma_i = 1 or -1 with probability p = m u / N^2 each, otherwise 0, independent.

The published count (El-Yaniv and Pechyony 2009, Theorem 1) is c0 Q sqrt(min(m, u)), c0 = sqrt(32 ln(4e)/3) < 5.05. Here it is
smaller, and all of it is derived:

*Count.* Write X_i = 1/u for unlabelled nodes and -1/m for labelled ones; the gap is sum X_i v_i, and as the X_i of a draw sum
to 0, v may be shifted to [-1/2, 1/2]. Were nodes unlabelled independently with probability u/N, X_i would have mean 0 and, X'
being a copy, E sup sum X_i v_i <= E sup sum (X_i - X'_i) v_i = TRC(V), since X_i - X'_i is Q or -Q with probability p each. Then K
nodes are unlabelled instead of u; draws of K and of u nodes can be coupled to differ at abs(K - u) nodes, each of which moves the
sum by at most Q/2. So count = (Q/2) E abs(K - u), and with K binomial that mean is 2 (m u / N) P[Bin(N - 1, u/N) = u] (de Moivre).
It is at most sqrt(m u / N) = 1/sqrt(Q), so the count is at most sqrt(Q)/2, and Q sqrt(min(m, u)) >= sqrt(Q): the published form
follows.

*Concentration.* The supremum changes by at most Q if two nodes change places. Draw the k = min(m, u) nodes of the smaller part one
by one: given the first i - 1, two choices of the i-th can be coupled by such an exchange, which matters only if the other node is
not among the smaller part anyway, of probability (N - k)/(N - i). Azuma's and Hoeffding's inequality for these ranges, with
sum_{j=N-k}^{N-1} j^-2 <= k / ((N - k - 1/2)(N - 1/2)), is the last term. For one fixed v the mean is 0 and it stands alone.
"""

from math import e, log, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from heldout.engine.numerics.capacity import log_sign_vectors
from heldout.engine.numerics.domain import Floats
from heldout.engine.numerics.finite_pool import pool_errors_upper
from heldout.engine.numerics.levels import nats
from heldout.records import Refusal

C0 = sqrt(32 * log(4 * e) / 3)
ROUNDING = 1e-9
#: Levels of the complexity over the margin: 2^((j - 6)/2), from 1/8 both ways, up to 1, where the bound is empty.
LEVELS = np.arange(-20.0, 7.0)


def pair_weight(labelled: int, unlabelled: int) -> float:
    """Q = 1/m + 1/u.

    Args:
        labelled: m.
        unlabelled: u.

    Returns:
        Q.

    Raises:
        Refusal: If one of the parts is empty.
    """
    if labelled < 1 or unlabelled < 1:
        raise Refusal(
            given=f"{labelled} labelled and {unlabelled} unlabelled nodes",
            expected="at least one of each",
            do="leave some nodes without a label",
        )
    return 1 / labelled + 1 / unlabelled


def exchange_factor(labelled: int, unlabelled: int) -> float:
    """S of the concentration.

    Args:
        labelled: m.
        unlabelled: u.

    Returns:
        S, a little above 1.

    Example:
        >>> round(exchange_factor(10, 30), 6)
        1.029822
    """
    total = labelled + unlabelled
    return total / ((total - 0.5) * (1 - 1 / (2 * max(labelled, unlabelled))))


def width(labelled: int, unlabelled: int, spent: ArrayLike) -> Floats:
    """The concentration, sqrt(S Q nats / 2).

    Args:
        labelled: m.
        unlabelled: u.
        spent: ln(1/delta) and whatever else is paid, in nats.

    Returns:
        Of the shape of what is spent.
    """
    factor = exchange_factor(labelled, unlabelled) * pair_weight(labelled, unlabelled) / 2
    return np.asarray(np.sqrt(factor * np.asarray(spent, dtype=np.float64)))


def count_term(labelled: int, unlabelled: int, *, published: bool = False) -> float:
    """What a fixed number of labels costs against independent ones.

    Args:
        labelled: m.
        unlabelled: u.
        published: Whether with the constant of the paper.

    Returns:
        The term.

    Example:
        >>> print(f"{count_term(500, 500):.4f} instead of {count_term(500, 500, published=True):.4f}")
        0.0252 instead of 0.4513
    """
    q, total = pair_weight(labelled, unlabelled), labelled + unlabelled
    if published:
        return C0 * q * sqrt(min(labelled, unlabelled))
    deviation = 2 * labelled * unlabelled / total * float(binom.pmf(unlabelled, total - 1, unlabelled / total))
    return q / 2 * deviation * (1 + ROUNDING)


def linear_complexity(data_norm: ArrayLike, labelled: int, unlabelled: int) -> Floats:
    r"""TRC of ``z -> w.z`` with ``|w| <= 1``, from above: :math:`Q \sqrt{2p}\, \|Z\|_F = \sqrt{2/(mu)}\, \|Z\|_F`.

    The supremum is :math:`\|\sum \sigma_i z_i\|`, and Jensen's inequality gives its expectation.

    Args:
        data_norm: Frobenius norm of all N rows z, labelled or not.
        labelled: m.
        unlabelled: u.

    Returns:
        The complexity.
    """
    return np.asarray(sqrt(2 / (labelled * unlabelled)) * np.asarray(data_norm, dtype=np.float64))


def linear_complexity_sampled(
    data: Floats, labelled: int, unlabelled: int, *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """The same class by Monte Carlo, every supremum exact: an estimate, and what checks the closed form.

    Args:
        data: z, ``[N, d]``.
        labelled: m.
        unlabelled: u.
        draws: Of the signs.
        seed: Of the signs.

    Returns:
        Mean and standard error.
    """
    p = labelled * unlabelled / len(data) ** 2
    uniform = np.random.default_rng(seed).random((draws, len(data)))
    signs = (uniform < p).astype(np.float64) - (uniform > 1 - p)
    suprema = pair_weight(labelled, unlabelled) * np.linalg.norm(signs @ data, axis=1)
    return float(suprema.mean()), float(suprema.std(ddof=1) / sqrt(draws))


def margin_upper(
    margins: Floats, complexity: Floats, labelled: int, unlabelled: int, log_delta: float, *, published: bool = False
) -> tuple[Floats, Floats, Floats]:
    """The best over levels of the complexity over the margin, each with its share of delta.

    Args:
        margins: Of the labelled nodes, ``[M, m]``.
        complexity: TRC of the network's own ball at margin 1, ``[M]``.
        labelled: m.
        unlabelled: u.
        log_delta: Natural logarithm of the failure probability.
        published: Whether with the count of the paper.

    Returns:
        Upper bounds, not cut at 1, the margins that gave them, and the complexities over these margins, ``[M]`` each.
    """
    ratios = 2 ** ((LEVELS - 6) / 2)
    gammas = complexity[:, None] / ratios  # [M, J]
    ordered = np.sort(margins, axis=1)
    counts = np.stack([np.searchsorted(*pair, side="right") for pair in zip(ordered, gammas, strict=True)])
    rest = ratios + count_term(labelled, unlabelled, published=published)
    values = counts / labelled + rest + width(labelled, unlabelled, nats(LEVELS) - log_delta)
    best = values.argmin(axis=1)
    each = np.arange(len(best))
    return values[each, best] * (1 + ROUNDING), gammas[each, best], ratios[best]


def log_graph_labellings(nodes: int, parameters: tuple[int, ...], units: tuple[int, ...], classes: int) -> float:
    r"""Logarithm of the most labellings of all N nodes by one architecture on one graph with known features.

    .. math:: \sum_{l < L} \ln S(N k_l, l, W_l) + \ln S\left(N \tbinom{C}{2}, L, W_L\right)

    Given the signs of all units of the layers before at all nodes, the values of layer l are polynomials of degree l in the
    :math:`W_l` weights up to it, whatever matrix mixes the nodes: the count of piecewise linear networks, at N nodes and no ghosts.

    Args:
        nodes: N.
        parameters: Weights of every layer.
        units: Hidden units of every layer but the last.
        classes: C.

    Returns:
        Nats, at most ``N ln C``.
    """
    total, so_far = 0.0, 0
    for layer, own in enumerate(parameters, start=1):
        so_far += own
        count = nodes * (units[layer - 1] if layer < len(parameters) else classes * (classes - 1) / 2)
        total += log_sign_vectors(count, layer, so_far)
    return float(min(total * (1 + 1e-12), nodes * log(classes)))


def unlabelled_errors_upper(errors: ArrayLike, labelled: int, unlabelled: int, log_delta: float) -> Floats:
    """The largest share of errors among the unlabelled, from those among the labelled, for a labelling fixed before the draw.

    Exact, by the hypergeometric tail. With a union over labellings it is the transductive bound of Vapnik in its exact form; on nodes
    that were kept from training it is what any other certificate must beat.

    Args:
        errors: Among the labelled.
        labelled: m.
        unlabelled: u.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Share of u, rounded up, at most 1.

    Example:
        >>> float(unlabelled_errors_upper(0, 500, 500, np.log(0.05)).round(3))  # 4 of the other 500, never 5
        0.008
    """
    pair_weight(labelled, unlabelled)
    total = labelled + unlabelled
    pool = np.rint(pool_errors_upper(errors, labelled, total, log_delta) * total)
    share = (pool - np.asarray(errors)) / unlabelled
    return np.asarray(np.minimum(np.nextafter(share, np.inf), 1.0))
