"""What is read from a population under training, and when."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from heldout.catalog import Unit, find
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, closure
from heldout.engine.population import Population
from heldout.engine.subject import Examples, Loss, Subject
from heldout.engine.subject.history import History, as_history
from heldout.engine.training import members_of
from heldout.records import Refusal

HISTORIES = {"loss_history", "noise_history"}


def recorded_steps(every: str | int | Sequence[int], steps: int) -> list[int]:
    """The steps at which something is read.

    Args:
        every: ``"log"`` for 0, 1, 2, 3, 4, 6, 8, 12, ... and the last; a number of steps; or the steps themselves.
        steps: Of the recipe.

    Returns:
        Ascending, the last step among them unless the steps were named.

    Raises:
        Refusal: If it is none of these.

    Example:
        >>> recorded_steps("log", 20), recorded_steps(8, 20)
        ([0, 1, 2, 3, 4, 6, 8, 12, 16, 20], [0, 8, 16, 20])
    """
    if every == "log":
        halves = {int(2**power * share) for power in range(1, 64) for share in (1, 1.5)}
        return sorted({0, steps, *(step for step in (1, *halves) if step < steps)})
    if isinstance(every, int) and not isinstance(every, bool) and every > 0:
        return sorted({*range(0, steps, every), steps})
    if isinstance(every, Sequence) and not isinstance(every, str) and all(isinstance(s, int) and s >= 0 for s in every):
        return sorted(set(every))
    raise Refusal(
        given=f"every was {every!r}", expected="'log', a number of steps, or a list of steps", do="pass every='log'"
    )


def measures_named(names: Sequence[str]) -> list[Unit]:
    """The measures that are to be read.

    Args:
        names: Of the catalog.

    Returns:
        Their units.

    Raises:
        Refusal: If a name is not in the catalog or is not a measure, or a word was passed in place of several.
    """
    if isinstance(names, str):
        raise Refusal(given=f"record was '{names}'", expected="a list of names", do=f"pass record=('{names}',)")
    found = [find(name) for name in names]
    for unit in found:
        if unit.kind != "measure":
            raise Refusal(
                given=f"record held '{unit.name}', a {unit.kind}",
                expected="measures",
                do="see 'heldout list --kind measure'",
            )
    return found


def readings_of(
    population: Population,
    step: int,
    units: Sequence[Unit],
    train: Examples,
    test: Any,
    loss: Loss,
    initial: Population,
    seed: int,
    *,
    before: Sequence[Mapping[str, Any]] = (),
    epoch: int | None = None,
) -> list[dict[str, Any]]:
    """Readings of a population at a step.

    Args:
        population: As it is now.
        step: Steps taken.
        units: Measures.
        train: The training set as the members see it.
        test: Data they do not see, or none.
        loss: One an example.
        initial: Before the first step.
        seed: Of stochastic readings.
        before: Rows of earlier steps, for readings of the history.
        epoch: Steps of an epoch.

    Returns:
        One row a member and measure. Members whose weights are not finite have rows without a number.
    """
    finite = torch.stack([torch.isfinite(tensor).flatten(1).all(1) for tensor in population.parameters.values()]).all(0)
    alive = torch.nonzero(finite).flatten().tolist()
    rows: list[dict[str, Any]] = []
    if alive and units:
        now, start = members_of(population, alive), members_of(initial, alive)
        moved = any(not torch.equal(now.parameters[name], start.parameters[name]) for name in now.parameters)
        parts = {"train": examples_of(train, alive), "test": test, "loss": loss, "initial": start if moved else None}
        evidence = Evidence(Subject(now, **parts), seed=seed)
        of_history = [unit for unit in units if not HISTORIES.isdisjoint(closure(unit.needs))]
        for unit in [unit for unit in units if unit not in of_history]:
            rows += [_row(alive[row["member"]], step, row) for row in read_measure(unit, evidence).rows()]
        if of_history:  # what was just read belongs to the history
            history = history_of([*before, *rows], alive, epoch)
            evidence = Evidence(Subject(now, **parts, history=history), seed=seed)
        for unit in of_history:
            rows += [_row(alive[row["member"]], step, row) for row in read_measure(unit, evidence).rows()]
    lost = {"value": None, "low": None, "high": None, "standard_error": None, "status": "not-finite"}
    reason = "the weights are not finite: training diverged"
    for member in sorted(set(range(len(population))) - set(alive)):
        rows += [{"member": member, "step": step, "name": unit.name, **lost, "reason": reason} for unit in units]
    return rows


def history_of(rows: Sequence[Mapping[str, Any]], members: Sequence[int], epoch: float | None) -> History | None:
    """What was recorded of the training loss and of the gradient noise, as a history.

    Args:
        rows: Of a trajectory.
        members: Whose.
        epoch: Steps of the first epoch.

    Returns:
        The history; None if no training loss was recorded.
    """
    place = {member: row for row, member in enumerate(members)}
    cells: dict[tuple[int, int], dict[str, float]] = {}
    for row in rows:
        if row["member"] in place and row["name"] in ("train-loss", "gradient-noise"):
            value = math.nan if row["value"] is None else row["value"]
            cells.setdefault((place[row["member"]], row["step"]), {})[row["name"]] = value
    if not any("train-loss" in cell for cell in cells.values()):
        return None
    table: dict[str, list[float]] = {
        "member": [member for member, _ in cells],
        "step": [step for _, step in cells],
        "train-loss": [cell.get("train-loss", math.nan) for cell in cells.values()],
    }
    if any("gradient-noise" in cell for cell in cells.values()):
        table["gradient-noise"] = [cell.get("gradient-noise", math.nan) for cell in cells.values()]
    return replace(as_history(table, len(members)), epoch=epoch)


def _row(member: int, step: int, row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: row[key] for key in ("name", "value", "low", "high", "standard_error", "status", "reason")}
    return {"member": member, "step": step, **kept}


def examples_of(examples: Examples, members: list[int]) -> Examples:
    """The training examples of some members.

    Args:
        examples: Of all members.
        members: Their places.

    Returns:
        The same examples where they are shared; otherwise theirs.
    """
    from torch.utils._pytree import tree_map

    return Examples(
        tree_map(lambda leaf: leaf[members], examples.x) if examples.x_per_member else examples.x,
        examples.y[members] if examples.y_per_member else examples.y,
        examples.x_per_member,
        examples.y_per_member,
    )
