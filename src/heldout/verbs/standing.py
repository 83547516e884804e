"""What may be said of a measure: whether it predicts, whether beyond the design, and whether this table could have told."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.special import gammaln
from scipy.stats import norm, t

from heldout.catalog import units
from heldout.engine.judging.design import Floats
from heldout.engine.judging.ledger import BASELINES, Ledger
from heldout.engine.judging.replicates import permuted, permuted_within
from heldout.records import Direction
from heldout.verbs.judgement import Verdict
from heldout.verbs.scoring import asked

SHARE = 0.05  # of false discoveries among verdicts
OFTEN = float(norm.isf(0.2))  # standard deviations above the bar that are found four times in five
TURNED = "among the networks of one configuration it points the other way than over all"
#: Everything a verdict may say.
WORDS = (
    "predicts beyond the design",
    "predicts as the design does",
    "predicts, beyond the design or not is open",
    "points the wrong way",
    "nothing beyond chance",
    "underpowered",
)


def verdicts_of(part: Ledger, extra: set[str], seed: int) -> list[Verdict]:
    """Tests of every measure, without their words.

    Args:
        part: A ledger without gaps.
        extra: Names of the control rows.
        seed: Of the permutations.

    Returns:
        One a measure. ``smallest`` and ``smallest_beyond`` are standard deviations of the two nulls until :func:`worded`.
    """
    unit, cells = units("criterion")["kendall"], part.design.configurations
    count, once = unit.fields["replicates"], np.ones((1, part.design.networks))
    free = permuted(part.errors, cells, count, seed)
    seeds = bool((np.bincount(cells) > 1).any())
    kept = permuted_within(part.errors, cells, count, seed) if seeds else part.errors[None]
    exact = part.errors[None]
    values = np.concatenate([part.oriented(), exact])
    said = asked(unit, part, np.concatenate([exact, free, kept]), once, seed, measures=values)[""]
    point, chance, within = said[:, 0], said[:, 1 : count + 1], said[:, count + 1 :]
    sizes, warnings, found = np.bincount(cells), simpson(part), []
    constant = part.errors.min() == part.errors.max()
    least_within = _least(sizes)
    least = _least(np.array([len(sizes)])) * least_within / 2
    for k, name in enumerate(part.measures):
        association, spread, z = _test(point[k], chance[k], least)
        beyond, own, z_within = _test(point[k], within[k], least_within) if seeds else (None, None, 0.0)
        if constant:  # a target that does not vary could have told nothing
            spread = np.inf
        direction = part.directions.get(name, Direction.NEITHER)
        known = name in extra or direction is not Direction.NEITHER
        found.append(
            Verdict(
                measure=name,
                kind="control" if name in extra else "baseline" if name in BASELINES else "measure",
                words="wrong" if known and z < 0 else "against" if z * z_within < 0 else "right",
                direction=Direction.HIGHER_IS_WORSE.value if name in extra else direction.value,
                tau=float(point[k]),
                association=association,
                beyond=beyond,
                smallest=spread,
                smallest_beyond=own,
                possible_beyond=float(point[-1] - within[-1].mean()) if seeds else None,
                warning=warnings[name],
            )
        )
    return found


def worded(verdicts: list[Verdict], ceiling: float | None) -> list[Verdict]:
    """Words for all measures at once.

    Benjamini and Hochberg's share of false discoveries, for each of the two questions, over the measures alone: control rows are
    true by construction and would let more through. What this table finds four times in five is reckoned at the bar that one
    more discovery would have to pass.

    Args:
        verdicts: Of all parts of the ledger.
        ceiling: Kendall's tau of the exact target; None where nobody knows it.

    Returns:
        The verdicts.
    """
    found: dict[str, Verdict] = {}
    for control in (True, False):
        group = [verdict for verdict in verdicts if (verdict.kind == "control") is control]
        one, bar = discovered([verdict.association for verdict in group])
        other, bar_beyond = discovered([1.0 if verdict.beyond is None else verdict.beyond for verdict in group])
        for place, verdict in enumerate(group):
            smallest = _times(verdict.smallest, bar + OFTEN)
            beyond = _times(verdict.smallest_beyond, bar_beyond + OFTEN)
            whole = replace(verdict, smallest=smallest, smallest_beyond=beyond)
            words = _words(whole, one[place], other[place], ceiling)
            turned = one[place] and other[place] and verdict.words == "against"
            warning = "; ".join(filter(None, (verdict.warning, TURNED if turned else "")))
            found[verdict.measure] = replace(whole, words=words, warning=warning)
    return [found[verdict.measure] for verdict in verdicts]


def _times(spread: float | None, deviates: float) -> float | None:
    return None if spread is None or np.isinf(spread) else spread * deviates


def _words(verdict: Verdict, associated: bool, beyond: bool, ceiling: float | None) -> str:
    if not associated:
        # even the exact target would be missed more than once in five
        blind = verdict.smallest is None or verdict.smallest > (1.0 if ceiling is None else ceiling)
        return "underpowered" if blind else "nothing beyond chance"
    if verdict.words == "wrong":
        return "points the wrong way"
    if beyond and verdict.words != "against":
        return "predicts beyond the design"
    if verdict.smallest_beyond is None or verdict.possible_beyond is None:
        return "predicts, beyond the design or not is open"
    weak = verdict.smallest_beyond > verdict.possible_beyond
    return "predicts, beyond the design or not is open" if weak else "predicts as the design does"


def discovered(values: list[float]) -> tuple[list[bool], float]:
    """Benjamini and Hochberg 1995.

    Args:
        values: Probabilities by chance, two-sided.

    Returns:
        Which are discoveries, and the standard normal deviate that one more would have to pass.

    Example:
        >>> discovered([0.001, 0.04, 0.9])[0], round(discovered([0.5])[1], 2)
        ([True, False, False], 1.96)
    """
    if not values:
        return [], float(norm.isf(SHARE / 2))
    order = np.argsort(values)
    passes = np.array(values)[order] <= SHARE * np.arange(1, len(values) + 1) / len(values)
    last = int(np.flatnonzero(passes).max()) + 1 if passes.any() else 0
    found = np.zeros(len(values), dtype=bool)
    found[order[:last]] = True
    return found.tolist(), float(norm.isf(SHARE * min(last + 1, len(values)) / len(values) / 2))


def _test(point: float, chance: Floats, least: float) -> tuple[float, float, float]:
    """Two-sided probability, the null's standard deviation, and the deviate; Student's, as mean and spread are estimates."""
    spread, count = float(chance.std(ddof=1)), len(chance)
    if spread == 0:
        return 1.0, 0.0, 0.0
    z = float((point - chance.mean()) / spread)
    probability = float(2 * t.sf(abs(z) / np.sqrt(1 + 1 / count), count - 1))
    return min(max(probability, least), 1.0), spread if least <= SHARE else np.inf, z


def _least(sizes: np.ndarray) -> float:
    """The least two-sided probability that a test by permutation can give: two of all orders within groups of these sizes."""
    return float(np.exp(np.log(2.0) - gammaln(sizes + 1.0).sum()))


def simpson(part: Ledger) -> dict[str, str]:
    """Hyper-parameters within whose values the sign of tau is the opposite of the pooled one, both of some size.

    Args:
        part: A ledger without gaps.

    Returns:
        Measure -> a sentence; empty where there is none.
    """
    unit, once = units("criterion")["kendall"], np.ones((1, part.design.networks))
    pooled = asked(unit, part, part.errors[None], once, 0)[""][:, 0]
    found: dict[str, list[str]] = {name: [] for name in part.measures}
    for axis, words in enumerate(part.design.axes):
        inside = within_values(part, axis)
        for k, name in enumerate(part.measures):
            signs = [one[k] for one in inside]
            if (
                signs
                and min(abs(pooled[k]), *map(abs, signs)) > 0.1
                and all(np.sign(s) == -np.sign(pooled[k]) for s in signs)
            ):
                found[name].append(words)
    return _sentences(found, dict(zip(part.measures, pooled.tolist(), strict=True)))


def within_values(part: Ledger, axis: int) -> list[Floats]:
    """Kendall's tau among the networks that share a value of a hyper-parameter.

    Args:
        part: A ledger without gaps.
        axis: The hyper-parameter's number.

    Returns:
        For each value that more than three networks have, ``[K]``.
    """
    unit, found = units("criterion")["kendall"], []
    for value in range(part.design.levels[axis]):
        rows = np.flatnonzero(part.design.codes[:, axis] == value)
        if len(rows) > 3:
            own = part.take(rows)
            found.append(asked(unit, own, own.errors[None], np.ones((1, len(rows))), 0)[""][:, 0])
    return found


def _sentences(found: Mapping[str, list[str]], pooled: Mapping[str, float]) -> dict[str, str]:
    return {
        name: f"pooled tau {pooled[name]:+.2f}, but of the other sign at every value of {', '.join(words)}"
        if words
        else ""
        for name, words in found.items()
    }
