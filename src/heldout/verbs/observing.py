"""Observables as readings: each network's draws go through the formulas, and what must not be reported is withheld."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from heldout.catalog import Unit, units
from heldout.engine.sampling import Draws
from heldout.engine.sampling.coefficients import above_minimum, adrift
from heldout.engine.sampling.convergence import Floats
from heldout.engine.sampling.uncertainty import Uncertainty, together
from heldout.engine.subject import Subject
from heldout.records import Direction, Passes, Reading, Status

#: Losses that are negative log-likelihoods; a callable is taken at its author's word.
NO_LIKELIHOOD = ("squared-error",)
FIRST = "learning_coefficient"  # family of what most users come for
Verdict = tuple[Status, str]


class Column(NamedTuple):
    """What one member's draws say of one quantity.

    Attributes:
        value: NaN where there is none.
        uncertainty: Of the value.
        verdict: Whether it may be reported, and why not.
    """

    value: float
    uncertainty: Uncertainty
    verdict: Verdict


def observe(
    draws: Sequence[Draws],
    rungs: Sequence[Sequence[Draws]],
    subject: Subject,
    cost: tuple[float, float],
    seconds: float,
) -> dict[str, Reading]:
    """Every observable of the catalog, read from the draws of every member.

    Args:
        draws: One a member.
        rungs: A ladder of temperatures for every member; empty without.
        subject: What was sampled.
        cost: Forward and backward sweeps that it took.
        seconds: That it took.

    Returns:
        Name -> reading, the learning coefficient and its kin first.
    """
    passes = Passes(*cost)
    read: dict[str, Reading] = {}
    others: dict[str, Reading] = {}
    for unit in units("observable").values():
        columns = [column_of(unit, own, rungs[m] if rungs else (), subject) for m, own in enumerate(draws)]
        found = reading_of(unit.name, unit.family, unit.fields["unit"], columns, passes, seconds)
        (read if unit.family == FIRST else others)[unit.name] = found
    name = "learning-coefficient-quadratic"
    read[name] = reading_of(name, FIRST, "", [_quadratic(own) for own in draws], passes, seconds)
    return {**read, **others}


def reading_of(name: str, family: str, unit: str, columns: Sequence[Column], passes: Passes, seconds: float) -> Reading:
    """A reading from the members' columns; its intervals are Student's, with the degrees of freedom that the draws are worth.

    Args:
        name: Of the quantity.
        family: Its file.
        unit: Of its value.
        columns: One a member.
        passes: What it cost.
        seconds: Likewise.

    Returns:
        The reading; where the verdict is not ok there is no number.
    """
    ok = np.array([column.verdict[0] is Status.OK for column in columns])
    value = np.where(ok, [column.value for column in columns], np.nan)
    error = np.where(ok, [column.uncertainty.error for column in columns], np.nan)
    half = np.where(ok, [column.uncertainty.half_width() for column in columns], np.nan)
    return Reading(
        name=name, family=family, unit=unit, direction=Direction.NEITHER,
        statuses=tuple(column.verdict[0] for column in columns), reasons=tuple(column.verdict[1] for column in columns),
        passes=passes, seconds=seconds, _value=value, _standard_error=error, _low=value - half, _high=value + half,
    )  # fmt: skip


def column_of(unit: Unit, own: Draws, rungs: Sequence[Draws], subject: Subject) -> Column:
    """One quantity of one member.

    Args:
        unit: The observable.
        own: The member's draws.
        rungs: Its ladder of temperatures; empty without.
        subject: What was sampled.

    Returns:
        The value or why there is none.
    """
    nothing = float("nan"), Uncertainty(float("nan"), float("inf"))
    hindrance = _hindrance(unit, own, rungs, subject)
    if hindrance is not None:
        return Column(*nothing, hindrance)
    value, influence = unit.function(**{need: _given(need, own, rungs) for need in unit.needs})
    if np.isnan(value):
        return Column(*nothing, (Status.UNDEFINED, unit.fields["undefined"] or "the formula gave no number"))
    series: list[Floats] = influence if isinstance(influence, list) else [influence]
    found = together(series)
    if unit.name == "learning-coefficient":
        high = above_minimum(own, value, found.error)
        if high:
            return Column(*nothing, (Status.UNDEFINED, high))
        # what is left of the step size's bias is no larger than this
        found = found._replace(error=float(np.hypot(found.error, own.step_bias)))
    return Column(value, found, (Status.OK, ""))


def _hindrance(unit: Unit, own: Draws, rungs: Sequence[Draws], subject: Subject) -> Verdict | None:
    if unit.fields["likelihood"] and subject.loss.name in NO_LIKELIHOOD:
        return Status.NOT_APPLICABLE, (
            "the squared error is no negative log-likelihood; pass loss=a callable that gives one, such as that of a Gaussian"
        )
    if "test_draw_losses" in unit.needs and own.recorded.test_losses is None:
        return Status.NOT_APPLICABLE, "there is no test data; pass test=(x, y) with data the network has not seen"
    ladder = any(need.startswith("ladder") for need in unit.needs)
    if ladder and not rungs:
        return Status.NOT_APPLICABLE, "no ladder of temperatures was sampled; pass ladder=12"
    for each in rungs if ladder else (own,):
        if not each.equilibrium.converged:
            return Status.NOT_CONVERGED, (f"at n beta = {each.nbeta:.3g} " if ladder else "") + each.equilibrium.reason
    away = adrift(own)
    if unit.family == "learning_coefficient" and away:
        return Status.UNDEFINED, away
    return None


def _given(need: str, own: Draws, rungs: Sequence[Draws]) -> Any:
    recorded = own.recorded
    given = {
        "mean_losses": recorded.mean_losses, "draw_losses": recorded.losses, "test_draw_losses": recorded.test_losses,
        "centre_losses": own.centre_losses, "nbeta": own.nbeta, "beta": own.beta, "examples": own.examples,
        "ladder_nbetas": np.array([each.nbeta for each in rungs]),
        "ladder_excess": [each.recorded.mean_losses - each.centre_losses.mean() for each in rungs],
    }  # fmt: skip
    return given[need]


def _quadratic(own: Draws) -> Column:
    return Column(own.effective, Uncertainty(own.effective_error, float("inf")), (Status.OK, ""))
