"""From a unit, written for one network, to a reading of the whole population."""

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from heldout.catalog import Unit
from heldout.engine.evidence.resolving import Evidence
from heldout.records import Estimate, NotApplicable, Passes, Profile, Reading, Status, estimate

CHUNK_BYTES = 256 * 2**20  # evidence that is mapped at once


def read_measure(unit: Unit, evidence: Evidence) -> Reading:
    """Evaluate a measure on every member.

    Args:
        unit: A measure.
        evidence: Of the subject.

    Returns:
        The reading; whatever goes wrong is its status, and the other readings go on.
    """
    members = len(evidence.subject.population)
    start = time.perf_counter()
    try:
        arguments = {need: evidence[need] for need in unit.needs}
        start = time.perf_counter()  # the evidence's own time is counted with the evidence
        with torch.no_grad():
            answer = unit.function(**arguments) if unit.fields["stacked"] else mapped(unit.function, arguments)
        result = answer if isinstance(answer, Estimate) else estimate(answer)
        columns = [np.broadcast_to(part.double().cpu().numpy(), (members,)).copy() for part in result]
    except NotApplicable as absent:
        return _without_number(unit, members, Status.NOT_APPLICABLE, str(absent))
    except Exception as error:  # one reading's fault must not cost the user the others
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return _without_number(unit, members, Status.FAILED, reason)
    value, standard_error, low, high, converged = columns
    statuses, reasons = _judged(unit, value, converged.astype(bool))
    lost = np.array([status is not Status.OK for status in statuses])
    for column in (value, standard_error, low, high):
        column[lost] = np.nan
    passes, seconds = evidence.alone(unit.needs)
    return Reading(
        name=unit.name,
        family=unit.family,
        unit=unit.fields["unit"],
        direction=unit.direction,
        statuses=statuses,
        reasons=reasons,
        passes=passes,
        seconds=seconds + time.perf_counter() - start,
        _value=value,
        _standard_error=standard_error,
        _low=low,
        _high=high,
    )


def read_profile(unit: Unit, evidence: Evidence) -> Profile:
    """Evaluate a profile.

    Args:
        unit: A profile.
        evidence: Of the subject.

    Returns:
        Its table; empty where the subject cannot have it.
    """
    try:
        with torch.no_grad():
            columns = unit.function(**{need: evidence[need] for need in unit.needs})
    except NotApplicable:
        return Profile(unit.name, unit.family, ())
    plain = {name: _plain(column) for name, column in columns.items()}
    rows = tuple(dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True))
    return Profile(unit.name, unit.family, rows)


def mapped(function: Any, arguments: dict[str, Any]) -> Any:
    """A function of one network's evidence, for all members at once.

    Args:
        function: The formula.
        arguments: Evidence; tensors lead with M, other leaves hold for all members.

    Returns:
        What the function returns, with a leading axis M.
    """
    leaves, shape = tree_flatten(arguments)
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    where = [index for index, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    if not tensors:
        return function(**arguments)

    def of_one(*parts: Tensor) -> Any:
        filled = list(leaves)
        for index, part in zip(where, parts, strict=True):
            filled[index] = part
        return function(**tree_unflatten(filled, shape))

    bytes_a_member = sum(tensor[0].numel() * tensor.element_size() for tensor in tensors)
    return torch.vmap(of_one, chunk_size=max(1, CHUNK_BYTES // max(1, bytes_a_member)))(*tensors)


def _judged(unit: Unit, value: np.ndarray, converged: np.ndarray) -> tuple[tuple[Status, ...], tuple[str, ...]]:
    undefined = unit.fields["undefined"]
    statuses, reasons = [], []
    for number, settled in zip(value, converged, strict=True):
        if not settled:
            status, reason = Status.NOT_CONVERGED, "the search did not settle within its budget"
        elif np.isnan(number) and undefined:
            status, reason = Status.UNDEFINED, undefined
        elif not np.isfinite(number):
            status, reason = Status.NOT_FINITE, f"the result was {number}"
        else:
            status, reason = Status.OK, ""
        statuses.append(status)
        reasons.append(reason)
    return tuple(statuses), tuple(reasons)


def _without_number(unit: Unit, members: int, status: Status, reason: str) -> Reading:
    nothing = np.full(members, np.nan)
    return Reading(
        name=unit.name,
        family=unit.family,
        unit=unit.fields["unit"],
        direction=unit.direction,
        statuses=(status,) * members,
        reasons=(reason,) * members,
        passes=Passes(),
        seconds=0.0,
        _value=nothing,
        _standard_error=nothing,
        _low=nothing,
        _high=nothing,
    )


def _plain(column: Any) -> list[Any]:
    values = column.tolist() if hasattr(column, "tolist") else list(column)
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in values]
