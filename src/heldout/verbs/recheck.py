"""Somebody's printed certificate, computed again from the numbers that it rests on."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from heldout.engine.numerics import kl_inverse_upper
from heldout.records import Refusal, refuse

ROUNDING = 5e-4  # of a number printed with three decimals


@dataclass(frozen=True, slots=True)
class Recheck:
    """A claim beside what its numbers give.

    Attributes:
        claimed: The printed bound.
        value: The bound by kl inversion, the tightest form that is known for these numbers; it may exceed nothing but 1.
        gibbs_risk: The empirical risk after the Monte-Carlo step; that which was printed where no draws were said.
        verdict: ``holds``, ``too small`` or ``vacuous``.
        reason: A sentence.
    """

    claimed: float
    value: float
    gibbs_risk: float
    verdict: str
    reason: str

    def row(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def recheck(
    claimed: float,
    *,
    observed: float,
    examples: int,
    nats: float = 0.0,
    bits: float = 0.0,
    delta: float = 0.05,
    draws: int = 0,
    draws_delta: float = 0.01,
) -> Recheck:
    r"""Compute a printed bound again: PAC-Bayes from its divergence, compression from its code, held-out from neither.

    .. math:: \mathrm{kl}^{-1}\Big(\mathrm{kl}^{-1}(\hat r, \ln(1/\delta')/m), \frac{KL + \ln(2\sqrt n/\delta)}{n}\Big)

    with ``KL`` in nats and the Monte-Carlo step over m draws; a code of b bits has ``(b ln 2 + ln(1/delta))/n`` in its place, and
    neither ``ln(1/delta)/n``. A claim below this is one that these numbers do not support: by a slip in the formula, a Monte-Carlo
    mean taken for the risk, or a price that was not paid.

    Args:
        claimed: The printed bound on the 0-1 error.
        observed: The empirical risk that it rests on.
        examples: n of the bound.
        nats: The divergence of a PAC-Bayes certificate.
        bits: The code of a compression certificate, prefix-free; give one of the two.
        delta: Failure probability of the bound.
        draws: m, where the empirical risk is a mean over so many draws of the posterior; 0 where it is exact.
        draws_delta: Failure probability of that step.

    Returns:
        The claim, the value and a verdict.

    Example:
        A published issue's bound of 59.7 % at 2.85 million nats on 1,000 examples:

        >>> recheck(0.597, observed=0.597, examples=1000, nats=2.85e6).verdict
        'vacuous'
    """
    refuse(_faults(claimed, observed, examples, nats, bits, delta, draws, draws_delta))
    risk = float(kl_inverse_upper(observed, -math.log(draws_delta) / draws)) if draws else observed
    if nats:
        price, what = nats + math.log(2 * math.sqrt(examples)), f"a divergence of {nats:g} nats"
    else:
        price, what = bits * math.log(2), f"a code of {bits:g} bits" if bits else "examples that were held out"
    value = float(kl_inverse_upper(risk, (price - math.log(delta)) / examples))
    on = f"{what} on {examples:,} examples"
    if value >= 1 - 1e-6:
        return Recheck(claimed, 1.0, risk, "vacuous", f"{on} gives no bound below 1.")
    if claimed + ROUNDING < value:
        return Recheck(
            claimed, value, risk, "too small", f"{on} gives {value:.4f}, {value - claimed:.2g} above the claim."
        )
    return Recheck(claimed, value, risk, "holds", f"{on} gives {value:.4f}.")


def _faults(
    claimed: float,
    observed: float,
    examples: int,
    nats: float,
    bits: float,
    delta: float,
    draws: int,
    draws_delta: float,
) -> list[Refusal]:
    """What is no number of a certificate."""
    found = [
        Refusal(given=f"{name} was {value:g}", expected="a number from 0 to 1", do="pass a share, 0.05 for 5 %")
        for name, value in (
            ("claimed", claimed),
            ("observed", observed),
            ("delta", delta),
            ("draws_delta", draws_delta),
        )
        if not 0 <= value <= 1 or (value in (0, 1) and "delta" in name)
    ]
    if examples < 8:
        found.append(Refusal(given=f"examples was {examples}", expected="at least 8", do="pass n of the bound"))
    if min(nats, bits, draws) < 0 or (nats > 0 and bits > 0):
        given = f"nats was {nats:g}, bits {bits:g} and draws {draws}"
        found.append(Refusal(given=given, expected="none below 0, and nats or bits", do="pass those of the claim"))
    return found
