"""The spectral PAC-Bayes margin bound: its number, with the input's radius read off the examples."""

from math import e, log

import numpy as np

from heldout.catalog import bound
from heldout.engine.evidence.layer_norms import LayerNorms
from heldout.engine.numerics.levels import nats, risen
from heldout.engine.numerics.margin_bounds import LARGEST, MarginShares
from heldout.records import Bounded, Status


@bound(
    source="Neyshabur, Bhojanapalli and Srebro 2018, Theorem 1, with the constants of its proof",
    certifies="this network",
    statement="would be a probability over the training examples, were the radius of all inputs known and not read off the examples",
    family="norm",
    standing=Status.CORRELATE,
)
def pac_bayes_spectral(layer_norms: LayerNorms, margin_shares: MarginShares, *, log_delta: float) -> Bounded:
    r"""Spectral and Frobenius norms by PAC-Bayes with noise that the margin endures.

    .. math:: \hat R_\gamma + 4 \sqrt{\frac{KL + \ln(6 n/\delta)}{n-1}}, \quad
        KL = \frac{16 e^3 B^2 L^2 h \ln(4 L h)}{\gamma^2} \prod_i \|A_i\|_2^2 \sum_i \frac{\|A_i\|_F^2}{\|A_i\|_2^2}

    With all layers scaled to one spectral norm beta, noise of deviation sigma in every weight changes no score by more than
    :math:`e B L \beta^{L-1} \sigma \sqrt{2 h \ln(4 L h)}` with probability 1/2 (its Lemma 2), which gamma/4 bounds; sigma is chosen
    at a level of beta, off by at most :math:`\sqrt e` in its power. B bounds every input that will ever be seen: here it is the
    largest training input, and so this is a correlate.

    Args:
        layer_norms: Of the chain.
        margin_shares: Of the training examples.
        log_delta: Natural logarithm of the failure probability that it would spend.

    Returns:
        Numbers with their account.

    Example:
        >>> from heldout.engine.evidence.direction_problems import random_directions
        >>> needs, _ = random_directions(np.random.default_rng(0), 1)
        >>> bool(pac_bayes_spectral(**needs, log_delta=-3.0).value[0] > 1)
        True
    """
    depth, n, width = layer_norms.spectral.shape[1], layer_norms.examples, layer_norms.width
    spectral = np.maximum(layer_norms.spectral, 1e-300)  # a layer of zeros has no logarithm
    logs = np.log(spectral)
    _, paid = risen(logs.mean(1), float(np.exp(1 / (2 * depth))))
    ratio = np.square(layer_norms.frobenius / spectral).sum(1)
    log_kl = (
        log(16 * e**3 * layer_norms.radius**2 * depth**2 * width * log(4 * depth * width))
        + 2 * logs.sum(1)
        + np.log(np.maximum(ratio, 1.0))
    )
    kl = np.exp(np.minimum(log_kl[:, None] - 2 * margin_shares.log_margins, log(LARGEST)))
    spent = log(6 * n) - log_delta + paid[:, None] + nats(margin_shares.levels)
    values = margin_shares.shares + 4 * np.sqrt((kl + spent) / (n - 1))
    best = values.argmin(1)
    each = np.ones(len(values))
    return Bounded(
        value=np.minimum(values.min(1), LARGEST),
        steps=(),
        empirical_risk=margin_shares.shares[:, 0],
        examples=n,
        data={"bound": f"all {n} training examples"},
        terms={
            "margin": np.exp(margin_shares.log_margins[best]),
            "radius": layer_norms.radius * each,
            "log of the divergence at margin 1": log_kl,
        },
    )
