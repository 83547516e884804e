"""``heldout.plan``: what an audit would compute, what is not applicable and why, and what each part would cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode

from heldout.catalog import Unit, units
from heldout.engine.evidence.resolving import closure, demand, expected_passes
from heldout.engine.population.vectorising import vectorisable_kernels
from heldout.engine.subject import Subject
from heldout.records import NotApplicable, Passes
from heldout.verbs.audit import chosen, require_subject
from heldout.verbs.certificates import bounds_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audit would do; nothing was computed to know it.

    Attributes:
        rows: One a unit: name, kind, family, needs, forward, backward (its cost alone), applicable, reason.
        passes: Of the whole audit, shared evidence counted once.
        gigaflops: Arithmetic of the whole audit, from one symbolic call; None where the network cannot be called so.
        members: How many networks.
    """

    rows: tuple[Mapping[str, Any], ...]
    passes: Passes
    gigaflops: float | None
    members: int


def plan(subject: Subject, *, only: Sequence[str] = (), thorough: bool = False) -> Plan:
    """Say what :func:`heldout.audit` would do with this subject.

    Args:
        subject: Networks, data, loss.
        only: As in the audit.
        thorough: As in the audit.

    Returns:
        The plan.
    """
    require_subject(subject)
    measures, profiles = chosen(only, thorough=thorough)
    bounds = {} if only else {unit.name: unit for unit in bounds_of(("held-out",))}
    wanted = {**measures, **profiles, **bounds}
    rows = tuple(_row(unit, subject) for unit in wanted.values())
    applicable = [wanted[row["name"]] for row in rows if row["applicable"]]
    needs = tuple(dict.fromkeys(need for unit in applicable for need in unit.needs))
    passes = expected_passes(needs)
    each = _flops_of_one_example(subject)
    sweeps = len(subject.train) * len(subject.population)
    total = None if each is None else each * sweeps * (passes.forward + 2 * passes.backward) / 1e9
    return Plan(rows, passes, total, len(subject.population))


def _row(unit: Unit, subject: Subject) -> dict[str, Any]:
    passes, reason = expected_passes(unit.needs), ""
    declared = {evidence.function.__name__: evidence for evidence in units("evidence").values()}
    for name in closure(unit.needs):
        try:
            demand(declared[name], subject)
        except NotApplicable as absent:
            passes, reason = Passes(), str(absent)
            break
    return {
        "name": unit.name,
        "kind": unit.kind,
        "family": unit.family,
        "needs": list(unit.needs),
        "forward": passes.forward,
        "backward": passes.backward,
        "applicable": not reason,
        "reason": reason,
    }


def _flops_of_one_example(subject: Subject) -> float | None:
    """Floating-point operations of one forward pass, counted on tensors without data."""
    population = subject.population

    def shell(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {
            name: torch.empty(tensor.shape[1:], dtype=tensor.dtype, device="meta") for name, tensor in tensors.items()
        }

    counter = FlopCounterMode(display=False)
    try:
        with torch.no_grad(), vectorisable_kernels(), counter:
            example = tree_map(lambda leaf: torch.empty_like(leaf, device="meta"), subject.probe)
            example = tree_map(lambda leaf: leaf.to(population.dtype) if leaf.is_floating_point() else leaf, example)
            population.call_one(shell(population.parameters), shell(population.buffers), example)
    except Exception:  # a stranger's forward may look at its data; the passes are still known
        return None
    return float(counter.get_total_flops())
