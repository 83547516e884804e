"""From bounds to certificates: every bound for every member, with its ledgers, its baseline and its status."""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from heldout.catalog import Unit, units
from heldout.engine.auditing import data_ledger, refusals, refusals_of_layers
from heldout.engine.evidence.held_out import HeldOutLoss
from heldout.engine.evidence.resolving import Evidence, closure
from heldout.records import Bounded, Certificate, NotApplicable, Refusal, Spent, Status

EXACT = "clopper-pearson"
HELD_OUT = "held_out_losses"
POOL = "held_out_pool"
ZERO_ONE = "0-1 error"


def certificates_of(
    evidence: Evidence, *, delta: float = 0.05, families: Sequence[str] = ("held-out",)
) -> list[Certificate]:
    """A certificate for each bound of some families and each member.

    Args:
        evidence: Of the subject.
        delta: Failure probability of each.
        families: Whose bounds.

    Returns:
        Certificates, bound by bound; bounds that this subject cannot have are left out.

    Raises:
        Refusal: If delta is not a probability.
    """
    if not 0 < delta < 1:
        raise Refusal(given=f"delta was {delta}", expected="a number strictly between 0 and 1", do="pass delta=0.05")
    found: list[Certificate] = []
    for unit in bounds_of(families):
        try:
            found += issued(unit, evidence, delta)
        except NotApplicable:
            continue
    return found


def bounds_of(families: Sequence[str]) -> list[Unit]:
    """The bounds of some families.

    Args:
        families: Their names; empty for all.

    Returns:
        Units family by family, the held-out ones first.
    """
    found = [unit for unit in units("bound").values() if not families or unit.family in families]
    return sorted(found, key=lambda unit: (unit.family != "held-out", unit.family))


def issued(unit: Unit, evidence: Evidence, delta: float, *, looks: int = 1) -> list[Certificate]:
    """The certificates of one bound.

    Args:
        unit: The bound.
        evidence: Of the subject.
        delta: Failure probability of each certificate, all that was looked at included.
        looks: How many certificates were looked at to choose among them; each has its share of delta.

    Returns:
        One a member; none where the bound is not for this subject's loss. What this subject cannot have is raised by the evidence.
    """
    log_delta = math.log(delta / looks)
    if unit.name == EXACT and evidence["held_out_loss"].name != ZERO_ONE:
        return []
    answer = unit.function(**{need: evidence[need] for need in unit.needs}, log_delta=log_delta)
    if HELD_OUT in closure(unit.needs):
        loss, losses = evidence["held_out_loss"], evidence[HELD_OUT]
        raw, repeats = evidence["held_out_raw_losses"], evidence["duplicates"]
        reasons = refusals(evidence.subject, repeats, loss, float(raw.min()), float(raw.max()))
        said = answer if isinstance(answer, Bounded) else of_held_out(answer, losses, loss, log_delta)
        said = on_pool(said, loss) if POOL in unit.needs else said
        said = replace(said, data={**data_ledger(evidence.subject, repeats), **said.data})
    else:
        said, reasons = answer, refusals_of_layers(evidence.subject)
    return [_certificate(unit, member, said, reasons, delta, looks) for member in range(len(said.value))]


def of_held_out(
    answer: tuple[np.ndarray, tuple[tuple[str, float], ...]], losses: np.ndarray, loss: HeldOutLoss, log_delta: float
) -> Bounded:
    """What a bound says that gave values in [0, 1] and steps: it speaks of the held-out losses.

    Args:
        answer: Of the bound's function.
        losses: In [0, 1], ``[M, N]``.
        loss: With its range.
        log_delta: Of the baseline, which is Clopper-Pearson, or kl where losses are not 0 and 1.

    Returns:
        The same in the loss's own units, with its baseline.
    """
    exact = units("bound")[EXACT if loss.name == ZERO_ONE else "kl"]
    (values, steps), (reference, _) = answer, exact.function(losses, log_delta=log_delta)
    return Bounded(
        value=np.array([outward(float(value), loss) for value in values]),
        steps=steps,
        empirical_risk=losses.mean(-1) * (loss.high - loss.low) + loss.low,
        examples=losses.shape[-1],
        loss=loss.name,
        loss_range=(loss.low, loss.high),
        guessing=loss.guessing,
        baseline=np.array([outward(float(value), loss) for value in reference]),
    )


def on_pool(said: Bounded, loss: HeldOutLoss) -> Bounded:
    """What a bound says of a finite pool, in the loss's own units: a mean over the pool is another quantity than a risk.

    Args:
        said: Of losses in [0, 1].
        loss: With its range.

    Returns:
        The same, named as what it is.
    """
    return replace(
        said,
        value=np.array([outward(float(value), loss) for value in said.value]),
        empirical_risk=said.empirical_risk * (loss.high - loss.low) + loss.low,
        loss=f"{loss.name} on the pool",
        loss_range=(loss.low, loss.high),
        guessing=loss.guessing,
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


def spent(steps: tuple[tuple[str, float], ...], delta: float, looks: int = 1) -> tuple[Spent, ...]:
    """The delta ledger.

    Args:
        steps: Words and shares that add up to 1 of what this certificate may spend; empty if it is no statement of probability.
        delta: To be spent in all.
        looks: Certificates that were looked at; this one may spend its share.

    Returns:
        One line a step, adding up to delta.

    Raises:
        Refusal: If the shares spend more than there is.
    """
    if not steps:
        return ()
    if not math.isclose(sum(share for _, share in steps), 1.0, abs_tol=1e-12):
        raise Refusal(
            given=f"a bound's steps spend {sum(share for _, share in steps):g} of delta",
            expected="shares that add up to 1",
            do="pay for every step in the bound's return value",
        )
    lines = tuple(Spent(words, share * delta / looks) for words, share in steps)
    others = (Spent(f"the other {looks - 1} certificates that were looked at", delta * (looks - 1) / looks),)
    return lines + (others if looks > 1 else ())


def _certificate(unit: Unit, member: int, said: Bounded, reasons: list[str], delta: float, looks: int) -> Certificate:
    value, standing = (
        min(float(said.value[member]), sys.float_info.max),
        unit.fields["standing"],
    )  # JSON has no infinity
    low, high = said.loss_range
    trivial = high if said.guessing is None else min(high, said.guessing)
    vacuous = standing is Status.VALID and not value < trivial - 1e-6 * (high - low)  # 0.9999999 says nothing either
    status = Status.REFUSED if reasons else Status.VACUOUS if vacuous else standing
    reason = " ".join(reasons)
    if status is Status.VACUOUS:
        known = "the loss never exceeds" if trivial == high else "guessing evenly has"
        reason = (
            f"the bound is {value:.4g}, and {known} {trivial:g}: {said.examples} examples say too little for what it must "
            "allow for."
        )
    elif not reason and standing is not Status.VALID:
        reason = standing.happened
    reference = None if said.baseline is None else float(said.baseline[member])
    return Certificate(
        name=unit.name,
        member=member,
        value=None if reasons else value,
        delta=delta if said.steps else 0.0,
        loss=said.loss,
        loss_range=said.loss_range,
        certifies=said.certifies or unit.fields["certifies"],
        statement=unit.fields["statement"],
        ledger=spent(said.steps, delta, looks),
        data_ledger=said.data,
        code_ledger=said.code,
        status=status,
        reason=reason,
        baseline=_baseline(unit, value, reference, EXACT if said.loss == ZERO_ONE else "kl", refused=bool(reasons)),
        empirical_risk=float(said.empirical_risk[member]),
        examples=said.examples,
        source=unit.source,
        family=unit.family,
        terms={name: float(values[member]) for name, values in said.terms.items()},
        trivial=trivial,
    )  # fmt: skip


def _baseline(unit: Unit, value: float, reference: float | None, baseline: str, *, refused: bool) -> dict[str, Any]:
    if refused:
        return {"name": baseline, "value": None, "adds_information": False, "verdict": "refused for the same reason"}
    if reference is None:
        promises = unit.fields["standing"] is Status.VALID
        words = "used no held-out label" if promises else "none: it promises nothing"
        return {"name": "none", "value": None, "adds_information": promises, "verdict": words}
    if unit.name == baseline:
        verdict = "this is the baseline"
    elif value < reference:
        lucky = (
            ", by the luck of its order" if baseline == EXACT else ""
        )  # no bound from the number of errors is tighter
        verdict = f"adds information: {reference - value:.2g} below {baseline} on the same examples{lucky}"
    else:
        verdict = f"adds nothing: {value - reference:.2g} above {baseline} on the same examples"
    return {"name": baseline, "value": reference, "adds_information": value < reference, "verdict": verdict}
