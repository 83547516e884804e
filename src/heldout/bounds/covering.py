"""Margins with a covering number that counts parameters: explicit constants, and by how much it is empty."""

from typing import Any

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.chains import Link
from heldout.engine.evidence.direction_problems import random_directions
from heldout.engine.evidence.layer_norms import LayerNorms
from heldout.engine.numerics.covering import covered_complexity
from heldout.engine.numerics.levels import risen
from heldout.engine.numerics.margin_bounds import MarginShares, best_margin, middle
from heldout.records import Bounded


def counted_directions(generator: np.random.Generator, problems: int) -> tuple[dict[str, Any], np.ndarray]:
    """Problems of known risk: labels by a fair coin, 20,000 examples on a circle, a direction that looks good; four weights.

    Args:
        generator: Randomness.
        problems: How many.

    Returns:
        Evidence by name, and the true risks.
    """
    needs, risks = random_directions(generator, problems)
    return {**needs, "chain": (Link("direction", 4, (), 2, 2),)}, risks


@bound(
    source="Covering numbers after Anthony and Bartlett 1999, section 14, and Long and Sedghi 2020; all constants derived here",
    certifies="this network",
    statement="probability over the draw of the training examples, for all networks of this architecture at once",
    family="norm",
    problem=counted_directions,
)
def covering_margin(
    layer_norms: LayerNorms, margin_shares: MarginShares, chain: tuple[Link, ...], *, log_delta: float
) -> Bounded:
    r"""Share of small margins, plus a complexity by counting parameters, in which norms stand inside of a logarithm only.

    .. math:: \hat R_\gamma + 2 \min_\alpha \Big(\alpha + \sqrt{\tfrac{\ln N(\alpha)}{2 n}}\Big)
        + 3 \sqrt{\tfrac{\ln(2/\delta_j)}{2 n}}, \quad \ln N = \sum_i p_i \ln\Big(1 + \frac{2 L b_i}{s_i} \cdot
        \frac{\sqrt 2 \|X\|_F \prod_j s_j}{\gamma\, \alpha \sqrt n}\Big)

    with :math:`p_i` parameters, :math:`s_i` spectral norms and :math:`b_i` distances from the initial weights, all at their levels
    (``engine.numerics.covering`` derives it; the ramp of a margin stretches Euclidean distances by :math:`\sqrt 2/\gamma`). The
    distance that is known, a sum over rows, is at least Frobenius'. Kernels of convolutions count once: a layer is the linear image
    of its parameters. Against :func:`~heldout.bounds.norms.spectral_margin`, which covers by Maurey's sums and Dudley's integral, it
    trades norms for the root of the number of parameters. Where these outnumber examples it is above 1; terms say by how much.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        chain: Parameters of every layer.
        log_delta: Natural logarithm of the failure probability.

    Returns:
        Upper bounds, not cut at 1, and their account.

    Example:
        >>> needs, _ = counted_directions(np.random.default_rng(0), 1)
        >>> bool(0.5 < covering_margin(**needs, log_delta=-3.0).value[0] < 0.75)
        True
    """
    depth, n = layer_norms.spectral.shape[1], layer_norms.examples
    base = 2 ** (1 / (2 * depth))  # a product of all norms rises by the root of 2 at most
    with np.errstate(divide="ignore"):
        spectral, paid = risen(np.log(layer_norms.spectral), base)
        distance, more = risen(np.log(layer_norms.distance), base)
    reach = np.log(np.sqrt(2 / n) * layer_norms.inputs) + spectral.sum(1)[:, None] - margin_shares.log_margins
    counts = np.array([float(link.parameters) for link in chain])
    twice = 2 * covered_complexity(distance - spectral, counts, reach, n)
    price = paid.sum(1) + more.sum(1)
    value, margin = best_margin(margin_shares, twice, price, log_delta)
    typical = middle(margin_shares, twice)
    return Bounded(
        value=value,
        steps=(("norms and margin at their levels, each level with its share", 1.0),),
        empirical_risk=margin_shares.shares[:, 0],
        examples=n,
        data={
            "bound": f"all {n} training examples, assumed to be independent draws",
            "reference": "distances are from the weights before training, which no example may have moved, or from zero",
        },
        terms={
            "margin": margin,
            "twice the complexity at the median margin": typical,
            "log10 of that": np.log10(typical),
            "parameters": counts.sum() * np.ones(len(value)),
            "nats for levels": price,
        },
    )
