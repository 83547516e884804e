"""Bounds by the norms of the layers and the margin: explicit constants, every norm and margin paid for."""

from math import log, sqrt

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.direction_problems import random_directions
from heldout.engine.evidence.layer_norms import LayerNorms
from heldout.engine.numerics.levels import risen
from heldout.engine.numerics.margin_bounds import MarginShares, margin_upper, shortfall
from heldout.records import Bounded

Floats = np.ndarray
STATEMENT = "probability over the draw of the training examples, for all networks of this architecture at once"


def _said(
    norms: LayerNorms,
    shares: MarginShares,
    log_complexity: Floats,
    price: Floats,
    log_delta: float,
    *,
    extra: float = 0.0,
) -> Bounded:
    value, margin = margin_upper(shares, log_complexity, price, log_delta, extra=extra)
    zero, short = shares.shares[:, 0], shortfall(shares, log_complexity)
    return Bounded(
        value=value,
        steps=(("norms and margin at their levels, each level with its share", 1.0),),
        empirical_risk=zero,
        examples=norms.examples,
        data={
            "bound": f"all {norms.examples} training examples, assumed to be independent draws",
            "reference": "distances are from the weights before training, which no example may have moved, or from zero",
        },
        terms={
            "margin": margin,
            "twice the complexity at the median margin": short,
            "log10 of that": np.log10(short),
            "log of the complexity at margin 1": log_complexity,
            "nats for levels": price,
        },
    )


def _levels(values: Floats, depth: int) -> tuple[Floats, Floats]:
    """Logarithms of norms risen so little that a product of ``depth`` of them grows by sqrt(2) at most, and their price."""
    with np.errstate(divide="ignore"):
        return risen(np.log(values), 2 ** (1 / (2 * depth)))


@bound(
    source="Bartlett, Foster and Telgarsky 2017, Theorem 3.3 and Lemma A.5; constants derived here",
    certifies="this network",
    statement=STATEMENT,
    family="norm",
    problem=random_directions,
)
def spectral_margin(layer_norms: LayerNorms, margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Spectral norms times the distance from initialisation, over the margin.

    .. math:: \mathrm{Rad}_\gamma \le \frac{4}{n^{3/2}} + \frac{72 \sqrt 2\, \|X\|_F \ln n}{\gamma n} \sqrt{\ln 2 W^2}
        \prod_i s_i \Big(\sum_i (b_i/s_i)^{2/3}\Big)^{3/2}

    with :math:`s_i` spectral norms and :math:`b_i` sums of row norms of the distance from the initial weights (from zero where these
    are not known). Where the constant comes from: the covering number of the outputs is
    :math:`\ln N(\epsilon) \le 2 \cdot 4 \|X\|_F^2 \ln(2 W^2) R^2 / \epsilon^2`, R the product above; the 2 is for rounding Maurey's
    sums up to whole terms, the 4 for taking centres inside the class; the ramp of a margin stretches by at most
    :math:`2/\gamma`; and :math:`\mathrm{Rad} \le 4\alpha/\sqrt n + (12/n) \int_\alpha^{\sqrt n} \sqrt{\ln N}` with
    :math:`\alpha = 1/n` integrates to :math:`18 \ln(n)/n` times the root of the numerator. Biases are the column
    of a layer on inputs with a 1 added.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = random_directions(np.random.default_rng(0), 1)
        >>> bool(spectral_margin(**needs, log_delta=-3.0).value[0] > 1)
        True
    """
    depth = layer_norms.spectral.shape[1]
    spectral, paid = _levels(layer_norms.spectral, depth)
    distance, more = _levels(layer_norms.distance, depth)
    ratio = np.log(np.exp((distance - spectral) * (2 / 3)).sum(1)) * 1.5
    n = layer_norms.examples
    constant = log(72 * sqrt(2) * layer_norms.inputs * log(max(n, 2)) * sqrt(log(2 * layer_norms.width**2)) / n)
    complexity = constant + spectral.sum(1) + ratio
    return _said(layer_norms, margin_shares, complexity, paid.sum(1) + more.sum(1), log_delta, extra=4 / n**1.5)


def _contracted(norms: LayerNorms, log_scalar: Floats) -> Floats:
    r"""From one real output to the ramp of a margin of C: :math:`\sqrt 2 \cdot \sqrt 2/\gamma` (Maurer 2016), summed over outputs."""
    return log(2.0) + log(norms.classes) + log_scalar


@bound(
    source="Golowich, Rakhlin and Shamir 2018, Theorem 1; Maurer 2016 for several outputs",
    certifies="this network",
    statement=STATEMENT,
    family="norm",
    problem=random_directions,
)
def frobenius_margin(layer_norms: LayerNorms, margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Product of Frobenius norms, with the root of the depth, over the margin.

    .. math:: \mathrm{Rad}_\gamma \le \frac{2 C}{\gamma} \cdot \frac{\sqrt{2 L \ln 2} + 1}{n} \|X\|_F \prod_{i<L} \|A_i\|_F
        \cdot \max_k \|A_L^{(k)}\|_2

    Each of the C scores is a network with one real output, whose last layer is a row; the ramp of the margin stretches Euclidean
    distances of the scores by :math:`\sqrt 2/\gamma`, and vector contraction adds another :math:`\sqrt 2`.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = random_directions(np.random.default_rng(0), 1)
        >>> bool(0.5 < frobenius_margin(**needs, log_delta=-3.0).value[0] < 1)
        True
    """
    depth, n = layer_norms.frobenius.shape[1], layer_norms.examples
    product, price = _product(layer_norms.frobenius, layer_norms.last_row)
    scalar = log((sqrt(2 * log(2) * depth) + 1) * layer_norms.inputs / n) + product
    return _said(layer_norms, margin_shares, _contracted(layer_norms, scalar), price, log_delta)


@bound(
    source="Neyshabur, Tomioka and Srebro 2015 (peeling); Maurer 2016 for several outputs; constants derived here",
    certifies="this network",
    statement=STATEMENT,
    family="norm",
    problem=random_directions,
)
def exponential_margin(layer_norms: LayerNorms, margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Product of Frobenius norms, with two to the power of the depth, over the margin: the older form.

    .. math:: \mathrm{Rad}_\gamma \le \frac{2 C}{\gamma} \cdot \frac{2^{L-1}}{n} \|X\|_F \prod_{i<L} \|A_i\|_F
        \cdot \max_k \|A_L^{(k)}\|_2

    Each activation that is peeled off costs a factor of 2, by the contraction of an absolute value. It is the smaller of the two for
    networks of up to two layers.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = random_directions(np.random.default_rng(0), 1)
        >>> bool(exponential_margin(**needs, log_delta=-3.0).value[0] < frobenius_margin(**needs, log_delta=-3.0).value[0])
        True
    """
    depth, n = layer_norms.frobenius.shape[1], layer_norms.examples
    product, price = _product(layer_norms.frobenius, layer_norms.last_row)
    scalar = (depth - 1) * log(2) + log(layer_norms.inputs / n) + product
    return _said(layer_norms, margin_shares, _contracted(layer_norms, scalar), price, log_delta)


@bound(
    source="Golowich, Rakhlin and Shamir 2018, Theorem 2; Maurer 2016 for several outputs",
    certifies="this network",
    statement=STATEMENT,
    family="norm",
    problem=random_directions,
)
def row_sum_margin(layer_norms: LayerNorms, margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Product of the largest absolute row sums, over the margin.

    .. math:: \mathrm{Rad}_\gamma \le \frac{2 C}{\gamma} \cdot \frac{2}{n} \sqrt{L + 1 + \ln d} \prod_i \|A_i\|_{1,\infty}
        \cdot \sqrt{\max_j \sum_i x_{ij}^2}

    d counts the entries of an input, the added 1 among them. For few inputs that matter and sparse layers.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = random_directions(np.random.default_rng(0), 1)
        >>> bool(row_sum_margin(**needs, log_delta=-3.0).value[0] > frobenius_margin(**needs, log_delta=-3.0).value[0])
        True
    """
    depth, n = layer_norms.rows.shape[1], layer_norms.examples
    logs, price = _levels(layer_norms.rows, depth)
    scalar = log(2 / n * sqrt(depth + 1 + log(layer_norms.entries)) * layer_norms.column) + logs.sum(1)
    return _said(layer_norms, margin_shares, _contracted(layer_norms, scalar), price.sum(1), log_delta)


def _product(norms: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Logarithm of the product of all norms but the last, which is a row's, at their levels; and the price."""
    factors = np.concatenate([norms[:, :-1], last[:, None]], axis=1)
    logs, price = _levels(factors, factors.shape[1])
    return logs.sum(1), price.sum(1)
