"""The two steps of a PAC-Bayes certificate, each by inversion of the binary divergence, and what they refuse."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heldout.engine.numerics import kl_inverse_upper
from heldout.records import Refusal

Floats = NDArray[np.float64]

LEAST = 8  # examples from which Maurer's constant 2 sqrt(n) holds
WIDEST = 0.05  # what the draws may leave open where none of them erred
SLACK = 1e-12  # relative: nats are sums of float64 terms, rounded up as a whole


def monte_carlo_upper(risk: ArrayLike, draws: int, log_delta: float) -> Floats:
    r"""The Gibbs risk on given examples from draws of the predictor.

    .. math:: \sup \{ p : \mathrm{kl}(\hat R_{mc}, p) \le \ln(1/\delta') / m \}

    Holds for the mean of m independent losses in [0, 1] of any means, as their average is the risk (Chernoff; Langford and
    Caruana 2001): m draws judged on all examples, or pairs of an example with a draw of its own.

    Args:
        risk: Mean loss of the draws.
        draws: m.
        log_delta: Natural logarithm of delta'.

    Returns:
        Upper bounds.

    Raises:
        Refusal: If the draws are so few that a twentieth of risk would stay open even if none erred.

    Example:
        >>> print(f"{monte_carlo_upper(0.02, 1000, np.log(0.005)):.4f}")
        0.0379
    """
    needed = int(np.ceil(log_delta / np.log1p(-WIDEST)))
    if draws < needed:
        raise Refusal(
            given=f"the Gibbs risk was the mean of {draws} draws",
            expected=f"at least {needed} at this delta",
            do="draw more: a mean over few draws is no Gibbs risk",
        )
    return np.asarray(kl_inverse_upper(risk, -log_delta / draws))


def pac_bayes_kl_upper(risk: ArrayLike, nats: ArrayLike, examples: int, log_delta: float) -> Floats:
    r"""The PAC-Bayes kl bound with Maurer's constant.

    .. math:: \sup \{ p : \mathrm{kl}(\hat R, p) \le (\mathrm{KL} + \ln(2 \sqrt n / \delta)) / n \}

    Seeger 2002, Maurer 2004. With the risk of one draw and the logarithm of its density ratio in the place of the divergence it
    holds for that draw (Rivasplata et al. 2020). Relaxations are training objectives; they are never larger in information.

    Args:
        risk: On the bound's examples.
        nats: Divergence from the prior, with the price of choosing the prior; below zero counts as zero.
        examples: n.
        log_delta: Natural logarithm of delta.

    Returns:
        Upper bounds, rounded up.

    Raises:
        Refusal: If nats are not finite, or n is below 8.

    Example:
        The unit test of a published repository (digest, section 10).

        >>> print(f"{pac_bayes_kl_upper(0.289307, 1724.0, 30_000, np.log(0.05)):.5f}")
        0.45516
    """
    spread = np.asarray(nats, dtype=np.float64)
    if not np.isfinite(spread).all():
        raise Refusal(
            given="a divergence from the prior was not finite", expected="finite nats",
            do="give the posterior a positive variance in every weight",
        )  # fmt: skip
    if examples < LEAST:
        raise Refusal(
            given=f"the bound had {examples} examples", expected=f"at least {LEAST}, from which its constant holds",
            do="leave more examples to the bound",
        )  # fmt: skip
    numerator = np.maximum(spread, 0.0) + np.log(2 * np.sqrt(examples)) - log_delta
    return np.asarray(kl_inverse_upper(risk, numerator * (1 + SLACK) / examples))
