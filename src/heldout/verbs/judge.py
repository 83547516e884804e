"""``heldout judge``: which measures predict, by every published criterion, each with its null, its interval and its ceiling."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import norm

from heldout.catalog import Unit, units
from heldout.engine.judging.controls import ceiling, controls
from heldout.engine.judging.design import Floats
from heldout.engine.judging.ledger import Ledger
from heldout.engine.judging.replicates import permuted, permuted_within, resampled
from heldout.records import Direction, Refusal
from heldout.verbs.judgement import Judgement, Score, Verdict

SHARE = 0.05  # of false discoveries among verdicts
POWER = float(norm.isf(SHARE) + norm.isf(0.2))  # standard deviations that are found four times in five


def judge(ledger: Ledger, *, criteria: Sequence[str] = (), seed: int = 0) -> Judgement:
    """Score every measure of a ledger by every criterion, with control rows beside them.

    Measures are turned so that larger promises more error; one whose direction nobody declared is judged as if that were so, and its
    verdict then speaks of either sign.

    Args:
        ledger: Networks with their measures.
        criteria: Names; all of the catalog's unless given.
        seed: Of permutations, resamples and control rows.

    Returns:
        Scores and verdicts.

    Raises:
        Refusal: If a criterion does not exist, or no hyper-parameter varies.
    """
    known = units("criterion")
    if strangers := [name for name in criteria if name not in known]:
        raise Refusal(
            given=f"the criterion '{strangers[0]}'", expected=f"some of {', '.join(known)}", do="correct the name"
        )
    if not ledger.design.axes:
        raise Refusal(
            given=f"the ledger '{ledger.name}' has no hyper-parameter that varies",
            expected="at least one column hp.<name> with two values",
            do="add networks that differ in one",
        )
    extra = controls(ledger.errors, ledger.design, seed)
    whole = replace(ledger, measures={**ledger.measures, **extra})
    directed = {name for name, way in ledger.directions.items() if way is not Direction.NEITHER} | set(extra)
    scores: list[Score] = []
    verdicts: list[Verdict] = []
    for part in whole.complete():
        for unit in known.values():
            if not criteria or unit.name in criteria:
                scores += _scored(unit, part, seed)
        verdicts += _verdicts(part, directed, seed)
    verdicts = _discovered(verdicts)
    order = {name: place for place, name in enumerate(whole.measures)}
    return Judgement(
        ledger=ledger.name,
        target=ledger.target,
        networks=ledger.design.networks,
        axes=ledger.design.axes,
        ceiling=ceiling(ledger.errors, ledger.test_size, seed),
        scores=sorted(scores, key=lambda score: order[score.measure]),
        verdicts=sorted(verdicts, key=lambda verdict: order[verdict.measure]),
        seed=seed,
    )


def _asked(
    unit: Unit, part: Ledger, targets: Floats, drawn: Floats, seed: int, axis: int | None = None
) -> dict[str, Floats]:
    """What a criterion says: part -> ``[K, R]``, or ``[K]`` of one that takes the target alone."""
    at_hand: Mapping[str, Any] = {
        "measures": part.oriented(), "targets": targets, "target": part.errors, "multiplicities": drawn,
        "design": part.design, "test_size": part.test_size, "seed": seed,
    }  # fmt: skip
    wanted = {name: at_hand[name] for name in unit.needs}
    if axis is not None and "axis" in inspect.signature(unit.function).parameters:
        wanted["axis"] = axis
    answer = unit.function(**wanted)
    return answer if isinstance(answer, dict) else {"": np.asarray(answer)}


def _scored(unit: Unit, part: Ledger, seed: int) -> list[Score]:
    names, n, count = list(part.measures), part.design.networks, unit.fields["replicates"]
    once = np.ones((1, n))
    if not count:  # it brings a standard error of its own
        said = _asked(unit, part, part.errors[None], once, seed)
        value, error = (said[key] for key in unit.fields["parts"])
        return [
            _score(name, unit.name, "", v, (v - 1.96 * e, v + 1.96 * e), (np.nan, np.nan), n)
            for name, v, e in zip(names, value, error, strict=True)
        ]
    found = []
    targets = np.concatenate([part.errors[None], permuted(part.errors, part.design.configurations, count, seed)])
    drawn = resampled(part.design, count, seed)
    places: list[int | None] = [None, *(range(len(part.design.axes)) if unit.fields["by_axis"] else [])]
    for axis in places:
        alone = _asked(unit, part, targets, once, seed, axis)  # the ledger's own first, then what chance gives
        again = _asked(unit, part, part.errors[None], drawn, seed, axis)
        for piece, values in alone.items():
            chance = np.nanquantile(_filled(values[:, 1:]), (0.025, 0.975), axis=1)
            spread = np.nanquantile(_filled(again[piece]), (0.025, 0.975), axis=1)
            called = f"{unit.name}, {piece}" if piece else unit.name
            where = "" if axis is None else part.design.axes[axis]
            found += [
                _score(name, called, where, v, spread[:, k], chance[:, k], n)
                for k, (name, v) in enumerate(zip(names, values[:, 0], strict=True))
            ]
    return found


def _score(
    measure: str,
    criterion: str,
    axis: str,
    value: float,
    spread: Iterable[float],
    chance: Iterable[float],
    networks: int,
) -> Score:
    low, high, chance_low, chance_high = map(_number, (*spread, *chance))
    return Score(measure, criterion, axis, _number(value), low, high, chance_low, chance_high, networks)


def _filled(values: Floats) -> Floats:
    """Rows without any value become a single NaN's worth of quantiles, without a warning."""
    return np.where(np.isnan(values).all(axis=1, keepdims=True), np.inf, values)


def _number(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _verdicts(part: Ledger, directed: set[str], seed: int) -> list[Verdict]:
    unit, n = units("criterion")["kendall"], part.design.networks
    once, count = np.ones((1, n)), unit.fields["replicates"]
    cells = part.design.configurations
    point = _asked(unit, part, part.errors[None], once, seed)[""][:, 0]
    free = _asked(unit, part, permuted(part.errors, cells, count, seed), once, seed)[""]
    seeds = bool((np.bincount(cells) > 1).any())
    kept = _asked(unit, part, permuted_within(part.errors, cells, count, seed), once, seed)[""] if seeds else None
    warnings = _simpson(part)
    found = []
    for k, name in enumerate(part.measures):
        spread = float(free[k].std(ddof=1))
        z = (point[k] - free[k].mean()) / spread if spread > 0 else 0.0
        association = float(2 * norm.sf(abs(z)))
        beyond = None
        if kept is not None:
            own = float(kept[k].std(ddof=1))
            beyond = float(2 * norm.sf(abs((point[k] - kept[k].mean()) / own))) if own > 0 else 1.0
        wrong = name in directed and z < 0
        found.append(Verdict(name, "wrong" if wrong else "right", association, beyond, POWER * spread, warnings[name]))
    return found


def _discovered(verdicts: list[Verdict]) -> list[Verdict]:
    """Words for all measures at once: Benjamini and Hochberg's share of false discoveries, for each of the two questions."""
    associated = _below([verdict.association for verdict in verdicts])
    beyond = _below([1.0 if verdict.beyond is None else verdict.beyond for verdict in verdicts])
    found = []
    for verdict, one, other in zip(verdicts, associated, beyond, strict=True):
        words = "nothing beyond chance"
        if one:
            words = "predicts beyond the design" if other else "predicts as the design does"
            words = "points the wrong way" if verdict.words == "wrong" else words
        found.append(replace(verdict, words=words))
    return found


def _below(values: list[float]) -> list[bool]:
    order = np.argsort(values)
    passes = np.array(values)[order] <= SHARE * np.arange(1, len(values) + 1) / len(values)
    last = int(np.flatnonzero(passes).max()) + 1 if passes.any() else 0
    found = np.zeros(len(values), dtype=bool)
    found[order[:last]] = True
    return found.tolist()


def _simpson(part: Ledger) -> dict[str, str]:
    """Hyper-parameters within whose values the sign of tau is the opposite of the pooled one, both of some size."""
    unit, once = units("criterion")["kendall"], np.ones((1, part.design.networks))
    pooled = _asked(unit, part, part.errors[None], once, 0)[""][:, 0]
    found: dict[str, list[str]] = {name: [] for name in part.measures}
    for axis, words in enumerate(part.design.axes):
        inside = []
        for value in range(part.design.levels[axis]):
            rows = np.flatnonzero(part.design.codes[:, axis] == value)
            if len(rows) > 3:
                own = part.take(rows)
                inside.append(_asked(unit, own, own.errors[None], np.ones((1, len(rows))), 0)[""][:, 0])
        for k, name in enumerate(part.measures):
            signs = [one[k] for one in inside]
            if (
                signs
                and min(abs(pooled[k]), *map(abs, signs)) > 0.1
                and all(np.sign(s) == -np.sign(pooled[k]) for s in signs)
            ):
                found[name].append(words)
    return {
        name: f"pooled tau {pooled[k]:+.2f}, but of the other sign at every value of {', '.join(words)}"
        if words
        else ""
        for k, (name, words) in enumerate(found.items())
    }
