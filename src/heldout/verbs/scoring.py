"""Scores of every measure by a criterion, each with what chance gives, its interval, and what the exact target would score."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from heldout.catalog import Unit
from heldout.engine.judging.controls import measured_again
from heldout.engine.judging.design import Floats
from heldout.engine.judging.ledger import Ledger
from heldout.engine.judging.replicates import permuted, resampled
from heldout.verbs.judgement import Score


def asked(
    unit: Unit,
    part: Ledger,
    targets: Floats,
    drawn: Floats,
    seed: int,
    axis: int | None = None,
    measures: Floats | None = None,
) -> dict[str, Floats]:
    """What a criterion says.

    Args:
        unit: The criterion.
        part: A ledger without gaps.
        targets: ``[R, N]``.
        drawn: How often each network counts, ``[R, N]`` or ``[1, N]``.
        seed: Of a criterion that is random.
        axis: One hyper-parameter's number; None for all.
        measures: ``[K, N]``; those of the ledger unless given.

    Returns:
        Part -> ``[K, R]``, or ``[K]`` of a criterion that takes the target alone.
    """
    at_hand: Mapping[str, Any] = {
        "measures": part.oriented() if measures is None else measures, "targets": targets, "target": part.errors,
        "multiplicities": drawn, "design": part.design, "test_size": part.test_size, "seed": seed,
    }  # fmt: skip
    wanted = {name: at_hand[name] for name in unit.needs}
    if axis is not None and "axis" in inspect.signature(unit.function).parameters:
        wanted["axis"] = axis
    answer = unit.function(**wanted)
    return answer if isinstance(answer, dict) else {"": np.asarray(answer)}


def scored(unit: Unit, part: Ledger, seed: int) -> list[Score]:
    """Scores by one criterion, over all hyper-parameters and, where it can say, for each.

    Args:
        unit: The criterion.
        part: A ledger without gaps.
        seed: Of permutations and resamples.

    Returns:
        One for each measure, part and hyper-parameter.
    """
    names, n, count = list(part.measures), part.design.networks, unit.fields["replicates"]
    once = np.ones((1, n))
    if not count:  # it brings a standard error of its own
        said = asked(unit, part, part.errors[None], once, seed)
        value, error = (said[key] for key in unit.fields["parts"])
        return [
            _score(name, unit.name, "", v, (v - 1.96 * e, v + 1.96 * e), (np.nan, np.nan), np.nan, n)
            for name, v, e in zip(names, value, error, strict=True)
        ]
    found = []
    targets = np.concatenate([part.errors[None], permuted(part.errors, part.design.configurations, count, seed)])
    drawn, again = resampled(part.design, count, seed), measured_again(part.errors, part.noise, seed)
    places: list[int | None] = [None, *(range(len(part.design.axes)) if unit.fields["by_axis"] else [])]
    for axis in places:
        alone = asked(unit, part, targets, once, seed, axis)  # the ledger's own first, then what chance gives
        other = asked(unit, part, part.errors[None], drawn, seed, axis)
        best = {} if again is None else asked(unit, part, again[1], once, seed, axis, measures=again[0][None])
        for piece, values in alone.items():
            chance, spread = _quantiles(values[:, 1:]), _quantiles(other[piece])
            known = best[piece][np.isfinite(best[piece])] if piece in best else np.zeros(0)
            ceiling = float(known.mean()) if len(known) else np.nan
            called = f"{unit.name}, {piece}" if piece else unit.name
            where = "" if axis is None else part.design.axes[axis]
            found += [
                _score(name, called, where, v, spread[:, k], chance[:, k], ceiling, n)
                for k, (name, v) in enumerate(zip(names, values[:, 0], strict=True))
            ]
    return found


def number(value: Any) -> float | None:
    """A number, or None for what is none.

    Args:
        value: Any.

    Returns:
        The plain float.

    Example:
        >>> number(np.float64(0.5)), number(np.nan)
        (0.5, None)
    """
    return float(value) if value is not None and np.isfinite(value) else None


def _score(
    measure: str,
    criterion: str,
    axis: str,
    value: float,
    spread: Iterable[float],
    chance: Iterable[float],
    ceiling: float,
    networks: int,
) -> Score:
    low, high, chance_low, chance_high = map(number, (*spread, *chance))
    return Score(measure, criterion, axis, number(value), low, high, chance_low, chance_high, number(ceiling), networks)


def _quantiles(values: Floats) -> Floats:
    """Ends of the middle 95 % of each row, ``[2, K]``; NaN for a row without any value."""
    empty = np.asarray(np.isnan(values).all(axis=1))
    found = np.nanquantile(np.where(empty[:, None], 0.0, values), (0.025, 0.975), axis=1)
    return np.where(empty, np.nan, found)
