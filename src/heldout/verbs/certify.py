"""Certificates of every bound for every member, with their ledgers."""

import math
from typing import Any

import numpy as np

from heldout.catalog import Unit, units
from heldout.engine.auditing import data_ledger, refusals
from heldout.engine.evidence.held_out import HeldOutLoss
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Certificate, NotApplicable, Refusal, Spent, Status

EXACT = "clopper-pearson"


def certify(evidence: Evidence, *, delta: float = 0.05) -> list[Certificate]:
    """A certificate for each bound of the catalog and each member, or the reason why there is none.

    Args:
        evidence: Of the subject.
        delta: Failure probability of each.

    Returns:
        Certificates, bound by bound; empty where nothing could be certified (no held-out data, no range of the loss).

    Raises:
        Refusal: If delta is not a probability.
    """
    if not 0 < delta < 1:
        raise Refusal(given=f"delta was {delta}", expected="a number strictly between 0 and 1", do="pass delta=0.05")
    try:
        losses, loss = evidence["held_out_losses"], evidence["held_out_loss"]
        raw, found = evidence["held_out_raw_losses"], evidence["duplicates"]
    except NotApplicable:
        return []
    reasons = refusals(evidence.subject, found, loss, float(raw.min()), float(raw.max()))
    zero_one = loss.name == "0-1 error"
    bounds = {name: unit for name, unit in units("bound").items() if zero_one or name != EXACT}
    baseline = EXACT if zero_one else "kl"
    values = {name: unit.function(losses, log_delta=math.log(delta)) for name, unit in bounds.items()}
    ledger = data_ledger(evidence.subject, found)
    return [
        _certificate(
            unit,
            member,
            values[name],
            values[baseline][0][member],
            baseline,
            losses[member],
            loss,
            delta,
            ledger,
            reasons,
        )
        for name, unit in bounds.items()
        for member in range(len(losses))
    ]


def _certificate(
    unit: Unit,
    member: int,
    answer: tuple[np.ndarray, tuple[tuple[str, float], ...]],
    reference: float,
    baseline: str,
    losses: np.ndarray,
    loss: HeldOutLoss,
    delta: float,
    data: dict[str, str],
    reasons: list[str],
) -> Certificate:
    bounds, steps = answer
    value = outward(float(bounds[member]), loss)
    status = Status.REFUSED if reasons else Status.VACUOUS if value >= loss.high else Status.VALID
    reason = " ".join(reasons)
    if status is Status.VACUOUS:
        reason = (
            f"the bound is the largest value the loss can take ({loss.high:g}): {len(losses)} examples say too little."
        )
    return Certificate(
        name=unit.name,
        member=member,
        value=None if reasons else value,
        delta=delta,
        loss=loss.name,
        loss_range=(loss.low, loss.high),
        certifies=unit.fields["certifies"],
        statement=unit.fields["statement"],
        ledger=spent(steps, delta),
        data_ledger=data,
        status=status,
        reason=reason,
        baseline=_baseline(unit.name, value, outward(float(reference), loss), baseline, refused=bool(reasons)),
        empirical_risk=float(losses.mean()) * (loss.high - loss.low) + loss.low,
        examples=len(losses),
        source=unit.source,
    )


def outward(unit_bound: float, loss: HeldOutLoss) -> float:
    """A bound on the loss in [0, 1], in the loss's own units, rounded up.

    Args:
        unit_bound: In [0, 1].
        loss: With its range.

    Returns:
        Never below the exact value, never above the range.
    """
    if (loss.low, loss.high) == (0.0, 1.0):
        return float(unit_bound)
    scaled = unit_bound * float(np.nextafter(loss.high - loss.low, np.inf))
    return min(loss.high, float(np.nextafter(np.nextafter(scaled, np.inf) + loss.low, np.inf)))


def spent(steps: tuple[tuple[str, float], ...], delta: float) -> tuple[Spent, ...]:
    """The delta ledger.

    Args:
        steps: Words and shares of delta that add up to 1.
        delta: To be spent.

    Returns:
        One line a step, adding up to delta.

    Raises:
        Refusal: If the shares spend more than there is.
    """
    if not math.isclose(sum(share for _, share in steps), 1.0, abs_tol=1e-12):
        raise Refusal(
            given=f"a bound's steps spend {sum(share for _, share in steps):g} of delta",
            expected="shares that add up to 1",
            do="pay for every step in the bound's return value",
        )
    return tuple(Spent(words, share * delta) for words, share in steps)


def _baseline(name: str, value: float, reference: float, baseline: str, *, refused: bool) -> dict[str, Any]:
    if refused:
        return {"name": baseline, "value": None, "adds_information": False, "verdict": "refused for the same reason"}
    if name == baseline:
        verdict = "this is the baseline"
    elif value < reference:
        lucky = (
            ", by the luck of its order" if baseline == EXACT else ""
        )  # no bound from the number of errors is tighter
        verdict = f"adds information: {reference - value:.2g} below {baseline} on the same examples{lucky}"
    else:
        verdict = f"adds nothing: {value - reference:.2g} above {baseline} on the same examples"
    return {"name": baseline, "value": reference, "adds_information": value < reference, "verdict": verdict}
