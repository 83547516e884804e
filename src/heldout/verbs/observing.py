"""Observables as readings: each network's draws go through the formulas, and what must not be reported is withheld."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heldout.catalog import Unit, units
from heldout.engine.sampling import Draws
from heldout.engine.sampling.coefficients import above_minimum
from heldout.engine.sampling.convergence import Floats, monte_carlo_error
from heldout.engine.subject import Subject
from heldout.records import Passes, Reading, Status

#: Losses that are negative log-likelihoods; a callable is taken at its author's word.
NO_LIKELIHOOD = ("squared-error",)
Verdict = tuple[Status, str]


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
        Name -> reading.
    """
    passes = Passes(*cost)
    read = {}
    for unit in units("observable").values():
        columns = [_one(unit, own, rungs[m] if rungs else (), subject) for m, own in enumerate(draws)]
        read[unit.name] = reading_of(unit.name, unit.family, unit.fields["unit"], columns, passes, seconds)
    quadratic = [_quadratic(own) for own in draws]
    name = "learning-coefficient-quadratic"
    read[name] = reading_of(name, "learning_coefficient", "", quadratic, passes, seconds)
    return read


def reading_of(
    name: str, family: str, unit: str, columns: Sequence[tuple[float, float, Verdict]], passes: Passes, seconds: float
) -> Reading:
    """A reading from the members' values, standard errors and verdicts.

    Args:
        name: Of the quantity.
        family: Its file.
        unit: Of its value.
        columns: Value, standard error and verdict of every member.
        passes: What it cost.
        seconds: Likewise.

    Returns:
        The reading; where the verdict is not ok there is no number.
    """
    ok = np.array([verdict[0] is Status.OK for _, _, verdict in columns])
    value = np.where(ok, [each for each, _, _ in columns], np.nan)
    error = np.where(ok, [each for _, each, _ in columns], np.nan)
    from heldout.records import Direction

    return Reading(
        name=name, family=family, unit=unit, direction=Direction.NEITHER,
        statuses=tuple(verdict[0] for _, _, verdict in columns), reasons=tuple(verdict[1] for _, _, verdict in columns),
        passes=passes, seconds=seconds, _value=value, _standard_error=error, _low=value - 1.96 * error,
        _high=value + 1.96 * error,
    )  # fmt: skip


def _one(unit: Unit, own: Draws, rungs: Sequence[Draws], subject: Subject) -> tuple[float, float, Verdict]:
    nothing = float("nan"), float("nan")
    hindrance = _hindrance(unit, own, rungs, subject)
    if hindrance is not None:
        return *nothing, hindrance
    value, influence = unit.function(**{need: _given(need, own, rungs) for need in unit.needs})
    series: list[Floats] = influence if isinstance(influence, list) else [influence]
    if np.isnan(value):
        return *nothing, (Status.UNDEFINED, unit.fields["undefined"] or "the formula gave no number")
    error = float(np.sqrt(sum(monte_carlo_error(each) ** 2 for each in series)))
    if unit.name == "learning-coefficient":
        high = above_minimum(own, value, error)
        if high:
            return *nothing, (Status.UNDEFINED, high)
        error = float(np.hypot(error, own.step_bias))  # what is left of the step size's bias is no larger than this
    return value, error, (Status.OK, "")


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


def _quadratic(own: Draws) -> tuple[float, float, Verdict]:
    return own.effective, own.effective_error, (Status.OK, "")
