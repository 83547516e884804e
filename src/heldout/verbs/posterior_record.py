"""The tables of a posterior's record beyond its readings: weights, selection, correlations, influences, small enough to keep."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from heldout.engine.sampling import Draws
from heldout.posterior.correlations import bayesian_influence, loss_correlations
from heldout.posterior.hypothesis_weight import HypothesisWeight
from heldout.records import Reading, Refusal
from heldout.verbs.posterior_functions import equilibrated, losses_on, selection_of, weights_of

Row = dict[str, Any]
SHOWN = 40  # examples in the table of correlations, evenly spaced; the correlations of all are a call
NAMED = 10  # examples that help most, and as many that harm most
LEAST = 2  # examples that a correlation takes


def tables_of(draws: Sequence[Draws], rungs: Sequence[Sequence[Draws]], coefficient: Reading) -> dict[str, Any]:
    """What draws say beyond readings, as rows of plain values.

    Args:
        draws: One a member.
        rungs: A ladder of temperatures for every member; empty without.
        coefficient: The learning coefficients.

    Returns:
        ``hypothesis_weight``, ``ladder``, ``correlations``, ``influences`` (lists of rows), ``selection`` (with ``rows`` and
        ``swaps``), and ``absent``: rows with member (None for all), tables, and the reason why they have nothing of it.
    """
    absent: dict[tuple[int | None, str], list[str]] = {}  # one reason may cost a network several tables

    def missing(table: str, member: int | None, why: Refusal) -> None:
        absent.setdefault((member, f"{why.given}; {why.do}"), []).append(table)

    def each(table: str, make: Callable[[int], list[Row]]) -> list[Row]:
        found: list[Row] = []
        for member in range(len(draws)):
            try:
                found += make(member)
            except Refusal as why:
                missing(table, member, why)
        return found

    weights: dict[int, HypothesisWeight] = {}

    def weigh(member: int) -> list[Row]:
        (weights[member],) = weights_of([rungs[member]])
        return weight_rows(member, weights[member])

    found: dict[str, Any] = {
        "hypothesis_weight": each("hypothesis_weight", weigh) if rungs else [],
        "ladder": [row for member, ladder in enumerate(rungs) for row in ladder_rows(ladder, weights.get(member))],
        "correlations": each("correlations", lambda m: correlation_rows(draws[m])),
        "influences": each("influences", lambda m: influence_rows(draws[m])),
        "selection": {"rows": [], "swaps": []},
    }
    if len(draws) > 1:
        try:
            found["selection"] = selection_rows(draws, coefficient)
        except Refusal as why:
            missing("selection", None, why)
    rows = [{"member": member, "tables": tables, "reason": reason} for (member, reason), tables in absent.items()]
    return {**found, "absent": rows}


def weight_rows(member: int, found: HypothesisWeight) -> list[Row]:
    """Weight of the hypotheses near one network.

    Args:
        member: Its number.
        found: The curves.

    Returns:
        Rows with member, level (excess loss), log_weight and standard_error in nats, bits (``-log2 W``), bits_error, and
        chernoff_bits, below which the bits cannot lie.
    """
    columns = (found.levels, found.log_weight, found.log_weight_error, found.bits, found.chernoff)
    return [
        {
            "member": member, "level": level, "log_weight": log_weight, "standard_error": error, "bits": bits,
            "bits_error": float(error / np.log(2)), "chernoff_bits": max(0.0, float(-bound / np.log(2))),
        }
        for level, log_weight, error, bits, bound in zip(*(column.tolist() for column in columns), strict=True)
    ]  # fmt: skip


def ladder_rows(ladder: Sequence[Draws], found: HypothesisWeight | None) -> list[Row]:
    """A network along its temperatures.

    Args:
        ladder: Its draws at each.
        found: What they say together; None where they cannot be weighed.

    Returns:
        Rows with member, nbeta, excess; and free_energy (nats), free_energy_bits, their errors, running (the learning coefficient
        at that temperature) and running_error; None where the draws cannot be weighed.
    """
    rows: list[Row] = [
        {
            "member": own.member,
            "nbeta": own.nbeta,
            "excess": float(own.recorded.mean_losses.mean() - own.centre_losses.mean()),
        }
        for own in ladder
    ]
    names = ("free_energy", "free_energy_error", "running", "running_error")
    if found is None:
        return [{**row, **dict.fromkeys((*names, "free_energy_bits"))} for row in rows]
    for place, row in enumerate(rows):
        row |= {name: float(getattr(found, name)[place]) for name in names}
        row["free_energy_bits"] = float(found.free_energy_bits[place])
    return rows


def selection_rows(draws: Sequence[Draws], coefficient: Reading) -> Mapping[str, list[Row]]:
    """Which network the posterior prefers as data grow.

    Args:
        draws: One a member.
        coefficient: Their learning coefficients.

    Returns:
        ``rows`` with member, size, free_energy, standard_error, share; ``swaps`` with simple, complex, size, low, high.
    """
    found = selection_of(draws, coefficient, None, None)
    chosen = found.selection
    rows = [
        {
            "member": member, "size": float(size), "free_energy": float(chosen.free_energies[member, place]),
            "standard_error": float(chosen.errors[member, place]), "share": float(chosen.shares[member, place]),
        }
        for member in range(len(draws)) for place, size in enumerate(chosen.sizes)
    ]  # fmt: skip
    return {"rows": rows, "swaps": found.swaps}


def correlation_rows(own: Draws) -> list[Row]:
    """Correlations of the losses of some training examples over one network's posterior.

    Args:
        own: Its draws.

    Returns:
        Rows with member, first, second (numbers of examples), correlation, standard_error; pairs that do not vary are left out.
    """
    losses = equilibrated(own).recorded.losses
    if losses.shape[2] < LEAST:
        return []
    examples = np.unique(np.linspace(0, losses.shape[2] - 1, SHOWN).round().astype(int))
    found = loss_correlations(losses[:, :, examples])
    return [
        {
            "member": own.member, "first": int(examples[i]), "second": int(examples[j]),
            "correlation": float(found.correlation[i, j]), "standard_error": float(found.correlation_error[i, j]),
        }
        for i in range(len(examples)) for j in range(len(examples)) if np.isfinite(found.correlation[i, j])
    ]  # fmt: skip


def influence_rows(own: Draws) -> list[Row]:
    """The training examples that help one network's posterior most, and those that harm it most.

    Args:
        own: Its draws.

    Returns:
        Rows with member, on (whose mean loss), example, influence (on that loss, of weighting the example more) and
        standard_error, from the most helpful to the most harmful.
    """
    recorded = equilibrated(own).recorded
    on = "train" if recorded.test_losses is None else "test"
    mean = losses_on(own, on).mean(2, keepdims=True)
    influence, error = (column[:, 0] for column in bayesian_influence(recorded.losses, mean, own.beta))
    order = np.argsort(influence, kind="stable")
    chosen = order if len(order) <= 2 * NAMED else np.concatenate([order[:NAMED], order[-NAMED:]])
    return [
        {
            "member": own.member,
            "on": on,
            "example": int(place),
            "influence": float(influence[place]),
            "standard_error": float(error[place]),
        }
        for place in chosen
    ]
