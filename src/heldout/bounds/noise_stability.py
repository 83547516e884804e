"""The compression bound by noise stability: its quantities on the data, without the constants that its theorem leaves open."""

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.noise_stability import NoiseStability
from heldout.engine.numerics.margin_bounds import LARGEST, MarginShares, middle
from heldout.records import Bounded, Status


@bound(
    source="Arora, Ge, Neyshabur and Zhang 2018, Theorem 4.1, without its constants and logarithms",
    certifies="a network compressed by random projections of the layers of this one",
    statement="would be a probability over the training examples and the compression, were constants and logarithms known",
    family="norm",
    standing=Status.CORRELATE,
)
def noise_stability_margin(
    noise_stability: NoiseStability, margin_shares: MarginShares, *, log_delta: float
) -> Bounded:
    r"""Share of small margins, plus the root of how many numbers a network needs that damps noise as this one does.

    .. math:: \hat R_\gamma + \sqrt{\frac{q}{n}}, \quad q = \frac{c^2 L^2 \max_x \|f(x)\|^2}{\gamma^2}
        \sum_i \frac{1}{\mu_i^2 \mu_{i\to}^2}

    On the examples: the layer cushion :math:`\mu_i = \min \|A_i x\| / (\|A_i\|_F \|x\|)`, to be held against :math:`1/\sqrt h`, with
    which white noise passes; the interlayer cushion :math:`\mu_{i\to}`, the same for the Jacobian from layer i to any later one, at
    most :math:`1/\sqrt{h_i}`; the contraction :math:`c = \max \|x\| / \|\mathrm{relu}(x)\|`. The theorem also demands an interlayer
    smoothness of 3 L at least, for noise that its own compression makes; the term is for Gaussian noise of a tenth of each layer's
    length. It has a factor :math:`\tilde O(1)` and speaks of the compressed network: a correlate, whose q can be compared between
    networks, and with the number of weights. Gamma is the best up to the median margin: beyond all margins any network has 1.

    Args:
        noise_stability: On training examples.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability that it would spend.

    Returns:
        Numbers with their account.

    Example:
        One layer that is a row of length 2 on an input along it: no cushion is needed, q is (2 / margin)^2.

        >>> one = np.ones(1)
        >>> known = NoiseStability(one[:, None], one[:, None], one, np.inf * one, 2 * one, 1)
        >>> shares = MarginShares(np.array([0.0, 2.0]), np.array([[0.0, 1.0]]), 100)
        >>> print(f"{noise_stability_margin(known, shares, log_delta=-3.0).value[0]:.2f}")  # 0 + sqrt(4 / 100)
        0.20
    """
    n, depth = margin_shares.examples, noise_stability.layer_cushions.shape[1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        cushions = (noise_stability.layer_cushions * noise_stability.interlayer_cushions) ** -2.0
        at_one = (noise_stability.contraction * depth * noise_stability.largest_output) ** 2 * cushions.sum(1)
        numbers = np.nan_to_num(at_one[:, None] * np.exp(-2 * margin_shares.log_margins), nan=LARGEST, posinf=LARGEST)
    places = np.arange(len(margin_shares.levels))
    up_to_median = places <= (margin_shares.shares >= 0.5).argmax(1)[:, None]
    values = np.where(up_to_median, margin_shares.shares + np.sqrt(numbers / n), np.inf)
    best = values.argmin(1)
    typical = middle(margin_shares, numbers)
    return Bounded(
        value=np.minimum(values.min(1), LARGEST),
        steps=(),
        empirical_risk=margin_shares.shares[:, 0],
        examples=n,
        data={"quantities": f"{noise_stability.examples} training examples", "margins": f"all {n} training examples"},
        terms={
            "margin": np.exp(margin_shares.log_margins[best]),
            "numbers needed at the median margin": typical,
            "log10 of that": np.log10(np.maximum(typical, 1 / LARGEST)),
            "smallest layer cushion": noise_stability.layer_cushions.min(1),
            "smallest interlayer cushion": noise_stability.interlayer_cushions.min(1),
            "activation contraction": noise_stability.contraction,
            "interlayer smoothness": np.minimum(noise_stability.smoothness, LARGEST),
            "smoothness that the theorem demands": 3.0 * depth * np.ones(len(values)),
        },
    )
