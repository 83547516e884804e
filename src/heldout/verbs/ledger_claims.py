"""Claims of the literature about measures, held against any ledger that has their hyper-parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heldout.engine.judging.design import Floats
from heldout.engine.judging.ledger import Ledger
from heldout.engine.judging.replicates import resampled
from heldout.records import NotApplicable
from heldout.verbs.claims import Side, said, side_of, verdict_of
from heldout.verbs.ledger_statistics import Ask, collapse, depth_paradox, published, size_identity, wrong

DZIUGAITE = "Dziugaite et al. 2020, figures of the coupled networks, as recomputed by marginal-baseline-eval"
MARTIN = "Martin and Mahoney 2021, arXiv 2106.00734"
COUNT = 200  # ledgers that are drawn again for an interval


@dataclass(frozen=True, slots=True)
class LedgerClaim:
    """A sentence about measures, and the number of a ledger that decides it.

    Attributes:
        sentence: What is claimed.
        source: Who claims it.
        statistic: A ledger and multiplicities ``[R, N]`` -> ``[R]``; the first line of its docstring says what it is.
        bar: Halfway between the published effect and no effect.
        above: Whether the effect lies above it.
        control: What must not show the effect.
        exact: Whether the statistic is an identity, without an interval.
    """

    sentence: str
    source: str
    statistic: Ask
    bar: float
    above: bool = True
    control: Ask | None = None
    exact: bool = False


#: What is to be reproduced first. Bars lie halfway between the published value and 0.5, a sign error without association.
CLAIMS = (
    LedgerClaim(
        "A measure that is divided by the number of training examples is right on that axis for free.",
        f"{DZIUGAITE} (0.000 to 0.027 of 32 measures)",
        wrong(published("norms"), "size", divided=True), bar=0.25, above=False, control=wrong(published("norms"), "size"),
    ),
    LedgerClaim(
        "Wider networks generalise better, so that the parameter count is wrong on width.", f"{DZIUGAITE} (0.901)",
        wrong(("params",), "width"), bar=0.7,
    ),
    LedgerClaim(
        "Deeper networks generalise better, so that the parameter count is wrong on depth.", f"{DZIUGAITE} (0.791)",
        wrong(("params",), "depth"), bar=0.65,
    ),
    LedgerClaim(
        "On width and depth the parameter count says nothing but how often the larger network generalises better.",
        DZIUGAITE, size_identity(("width", "depth")), bar=0.01, above=False, exact=True,
    ),
    LedgerClaim(
        "The product of spectral norms points the wrong way on depth.", f"{DZIUGAITE} (0.791)",
        wrong(("prod-of-spec",), "depth"), bar=0.65,
    ),
    LedgerClaim(
        "PAC-Bayes from the starting point is right on the learning rate.", f"{DZIUGAITE} (0.012)",
        wrong(("pacbayes-orig",), "rate"), bar=0.25, above=False,
    ),
    LedgerClaim(
        "Flatness is right on the learning rate.", f"{DZIUGAITE} (0.009)",
        wrong(("pacbayes-flatness",), "rate"), bar=0.25, above=False,
    ),
    LedgerClaim(
        "The path norm is right on width, where most norms are wrong.", f"{DZIUGAITE} (0.129)",
        wrong(("path-norm",), "width"), bar=0.3, above=False,
    ),
    LedgerClaim(
        "The scale of the weights predicts over all depths better than within one: Simpson's paradox.", MARTIN,
        depth_paradox("log-spectral-norm"), bar=0.0,
    ),
    LedgerClaim(
        "The shape of the spectrum predicts within a depth better than over all: Simpson's paradox the other way.", MARTIN,
        depth_paradox("alpha"), bar=0.0, above=False,
    ),
    LedgerClaim(
        "The measure that wins on one task loses at least half of its score on others.",
        "Predicting Generalization in Deep Learning 2020: a tuned measure fell from 32.6 to 0.37 on unseen tasks", collapse,
        bar=0.5, above=False,
    ),
)  # fmt: skip


def claims_of(ledger: Ledger, *, claims: Sequence[LedgerClaim] = CLAIMS, seed: int = 0) -> list[dict[str, Any]]:
    """Hold claims against a ledger.

    The 95 % interval over configurations must lie wholly on the claim's side of the bar, and the control's on the other.

    Args:
        ledger: Networks with their measures; hyper-parameters are known by the names width, depth, rate, size.
        claims: Which.
        seed: Of the resamples.

    Returns:
        One row a claim, as studies have them: claim, source, statistic, value, low, high, bar, above, seeds, verdict, reason, and
        the control's value, low and high where there is one. What the ledger cannot be asked is underpowered, with the reason.
    """
    drawn = np.concatenate([np.ones((1, ledger.design.networks)), resampled(ledger.design, COUNT, seed)])
    seeds = int(np.bincount(ledger.design.configurations).max()) if ledger.design.axes else 0
    return [_row(claim, ledger, drawn, seeds) for claim in claims]


def _row(claim: LedgerClaim, ledger: Ledger, drawn: Floats, seeds: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "claim": claim.sentence, "source": claim.source, "statistic": said(claim.statistic), "value": None, "low": None,
        "high": None, "bar": claim.bar, "above": claim.above, "seeds": seeds,
    }  # fmt: skip
    control: Side = "not shown"
    try:
        value, low, high = _measured(claim.statistic, ledger, drawn, claim.exact)
        row |= {"value": value, "low": low, "high": high}
        if claim.control is not None:
            centre, least, most = _measured(claim.control, ledger, drawn, claim.exact)
            row |= {"control": centre, "control_low": least, "control_high": most}
            control = side_of(least, most, claim)
    except NotApplicable as reason:
        return {**row, "verdict": "underpowered", "reason": str(reason)}
    verdict, because = verdict_of(side_of(low, high, claim), control, max(seeds, 2), claim)
    return {**row, "verdict": verdict, "reason": because}


def _measured(ask: Ask, ledger: Ledger, drawn: Floats, exact: bool) -> tuple[float | None, float | None, float | None]:
    found = ask(ledger, drawn[:1] if exact else drawn)
    if not np.isfinite(found[0]):
        raise NotApplicable("no difference between two networks is sure enough to ask", do="test on more examples")
    value = float(found[0])
    if exact:
        return value, value, value
    again = found[1:][np.isfinite(found[1:])]
    if len(again) < COUNT // 2:
        return value, None, None
    low, high = np.quantile(again, (0.025, 0.975))
    return value, float(low), float(high)
