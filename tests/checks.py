"""Checks that every measure of the catalog must pass, so that a new one is tested before its author writes a test.

A check takes a unit and raises ``AssertionError`` with a sentence. ``waives={"check-name": "reason"}`` in a decorator lets a
unit off; the saboteur (tests/house) proves that each check can fail.
"""

import doctest
import sys
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch
from tests import subjects
from tests.subjects import TINY, Way, evidence
from torch.utils._pytree import tree_flatten, tree_unflatten

from heldout.catalog import INVARIANCES, Unit, units
from heldout.engine.evidence import reading_units
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, closure, demand
from heldout.records import Direction, NotApplicable, Reading, Status

EVERYWHERE = ("mlp", "cnn", "transformer", "token_transformer", "lstm", "residual", "tied", "linear", "regression")
THOROUGH = ("mlp", "cnn")
SAME = 1e-5  # float32 sums in another order
#: Readings whose direction is asserted: by definition (the gaps, test data), or because fitting noise needs more norm
#: (Bartlett 1998; Neyshabur et al. 2017, section 3) at equal architecture and inputs.
POINTED = ("accuracy-gap", "loss-gap", "test-accuracy", "test-loss", "param-norm", "fro-distance", "path-norm")


def has_one_number_a_member(unit: Unit) -> None:
    """Shape ``[M]`` on every case; a number or a status that says why not, and a number on one case at least."""
    sources = {case: evidence(case, Way() if case in THOROUGH else Way(members=(0, 1))) for case in EVERYWHERE}
    numbers = 0
    for case, source in {**sources, "untrained": subjects.untrained()}.items():
        reading = _read(unit, source)
        members = len(source.subject.population)
        assert reading.value.shape == (members,), f"{case}: {reading.value.shape} values for {members} members"
        for status, reason, value in zip(reading.statuses, reading.reasons, _numbers(reading), strict=True):
            assert status not in (Status.FAILED, Status.NOT_FINITE), f"{case}: {status.code}: {reason}"
            assert (status is Status.OK) == bool(np.isfinite(value)), f"{case}: {status.code} with value {value}"
            assert (status is Status.OK) == (not reason), f"{case}: {status.code} with reason '{reason}'"
            numbers += status is Status.OK
    assert numbers, f"no number on any of {', '.join(sources)}"


def is_the_same_alone(unit: Unit) -> None:
    """A member alone gives what it gives in a population."""
    for case in THOROUGH:
        together = _read(unit, evidence(case))
        for member in (0, 1, 2):
            alone = _read(unit, evidence(case, Way(members=(member,))))
            _assert_equal(alone, 0, together, member, f"{case}: member {member} alone")


def is_the_same_again(unit: Unit) -> None:
    """One seed gives the same bits whatever the global random state, which is left as it was."""
    readings = []
    for repeat in (0, 1):
        torch.manual_seed(100 + repeat)
        np.random.seed(100 + repeat)  # noqa: NPY002  the global state is what is being tried
        source = evidence("mlp", Way(repeat=repeat))
        before = _random_state()
        readings.append(_numbers(_read(unit, source)))
        assert _random_state() == before, "the global random state was used"
    assert np.array_equal(readings[0], readings[1], equal_nan=True), f"not the same bits again: {readings}"


def is_the_same_in_chunks(unit: Unit) -> None:
    """Memory for a few examples at a time gives what ample memory gives."""
    for case in THOROUGH:
        whole = _read(unit, evidence(case))
        with mock.patch.object(reading_units, "CHUNK_BYTES", 1):
            cut = _read(unit, evidence(case, Way(memory=TINY)))
        for member in range(3):
            _assert_equal(cut, member, whole, member, f"{case}: in chunks")


def stays_in_range(unit: Unit) -> None:
    """Values, and intervals around them, lie within the declared range."""
    low, high = unit.fields["range"]
    assert low < high, f"the range is from {low} to {high}"
    sources = [evidence(case) for case in (*THOROUGH, "generalizer", "memorizer")]
    for source in (*sources, subjects.untrained()):
        reading = _read(unit, source)
        values, lower, upper = (_numbers(reading, column) for column in ("value", "low", "high"))
        slack = SAME * np.maximum(1.0, np.abs(values))
        outside = (values < low - slack) | (values > high + slack)  # comparisons with NaN, no number, are False
        assert not outside.any(), f"{values} is not between {low} and {high}"
        assert not ((lower > values + slack) | (upper < values - slack)).any(), f"{values} outside {lower} to {upper}"


def swallows_no_nan(unit: Unit) -> None:
    """Evidence of NaN gives no number: a formula that hides it would show 0 for a fault."""
    source = evidence("mlp")
    arguments = {need: source[need] for need in unit.needs}
    leaves, shape = tree_flatten(arguments)
    noise = [torch.sin(1.0 + leaf + torch.arange(leaf[0].numel()).reshape(leaf[0].shape)) if _is_float(leaf) else leaf
             for leaf in leaves]  # fmt: skip
    scrambled = _Given(source, tree_unflatten(noise, shape))
    if np.array_equal(_numbers(_read(unit, source)), _numbers(_read(unit, scrambled))):
        return  # it counts parameters, layers or examples, and sees no value at all
    poisoned = [_poison(leaf) for leaf in leaves]
    reading = _read(unit, _Given(source, tree_unflatten(poisoned, shape)))
    value = _numbers(reading)[1]
    assert not np.isfinite(value), f"evidence of NaN gave the number {value}"


def points_somewhere(unit: Unit) -> None:
    """The direction is declared; where theory is firm it agrees with fitting true against random labels."""
    assert isinstance(unit.fields["direction"], Direction), "no direction is declared"
    if unit.name in POINTED:
        good, bad = (_numbers(_read(unit, evidence(case))) for case in ("generalizer", "memorizer"))
        worse = {Direction.HIGHER_IS_WORSE: 1.0, Direction.HIGHER_IS_BETTER: -1.0}[unit.direction]
        assert (worse * (bad - good) > 0).all(), f"{unit.direction.value}, yet true labels {good}, random labels {bad}"


def says_what_it_is(unit: Unit) -> None:
    """Source, a one-line summary, the formula, and an example that runs."""
    assert unit.source.strip(), "no source"
    assert unit.summary.endswith("."), f"the summary '{unit.summary}' is no sentence"
    assert "math::" in unit.about or "efinition" in unit.source + unit.about, "neither formula nor definition"
    assert ">>> " in unit.about, "no example"
    runs_its_example(unit)


def runs_its_example(unit: Unit) -> None:
    """The examples of the docstring give what they say."""
    names = dict(vars(sys.modules[unit.function.__module__]))
    runner = doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    for example in doctest.DocTestFinder(recurse=False).find(unit.function, unit.name, module=False, globs=names):
        runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)


def refuses_what_is_missing(unit: Unit) -> None:
    """Without test data or initial weights: not applicable, with a reason and a remedy; never a number, never an error."""
    declared = {known.function.__name__: known for known in units("evidence").values()}
    for source in (subjects.bare(), subjects.bare("regression")):
        missing = [m for name in closure(unit.needs) if (m := _demanded(declared[name], source))]
        reading = _read(unit, source)
        assert reading.statuses[0] is not Status.FAILED, reading.reasons[0]
        if missing:
            given = f"{reading.statuses[0].code}: {reading.reasons[0]}"
            assert reading.statuses[0] is Status.NOT_APPLICABLE, f"{given}, although {missing[0]}"
            assert "; " in reading.reasons[0], f"{given}, without a remedy"
            assert all(m.reason.strip() and m.do.strip() for m in missing), "a reason or a remedy is empty"


def changes_nothing(unit: Unit) -> None:
    """Evidence, weights and data are the same after the reading."""
    source = evidence("mlp", Way(repeat=2))  # nobody else reads what a faulty unit may leave behind
    arguments = {need: source[need] for need in unit.needs}
    held = [leaf for leaf in tree_flatten(arguments)[0] if isinstance(leaf, torch.Tensor)]
    copies, weights = [leaf.clone() for leaf in held], subjects.weights_of(source)
    _read(unit, source)
    for now, before in zip(held, copies, strict=True):
        same = (
            torch.equal(now.nan_to_num(), before.nan_to_num()) if now.is_floating_point() else torch.equal(now, before)
        )
        assert same, "the evidence was changed in place"
    for name, tensor in subjects.weights_of(source).items():
        assert torch.equal(tensor, weights[name]), f"'{name}' was changed"


def declares_known_invariances(unit: Unit) -> None:
    """Invariances and waivers are words that a check reads."""
    strangers = set(unit.fields["invariances"]) - set(INVARIANCES)
    assert not strangers, f"unknown invariances {sorted(strangers)}"
    unknown = set(unit.fields["waives"]) - set(CHECKS)
    assert not unknown, f"waives unknown checks {sorted(unknown)}; they are {sorted(CHECKS)}"
    assert all(reason.strip() for reason in unit.fields["waives"].values()), "a waiver without a reason"


def name_of(check: Callable[[Unit], None]) -> str:
    """The word that ``waives`` uses: the function's name in kebab-case."""
    return check.__name__.replace("_", "-")


CHECKS: dict[str, Callable[[Unit], None]] = {
    name_of(check): check
    for check in (
        has_one_number_a_member, is_the_same_alone, is_the_same_again, is_the_same_in_chunks, stays_in_range,
        swallows_no_nan, points_somewhere, says_what_it_is, refuses_what_is_missing, changes_nothing,
        declares_known_invariances,
    )
}  # fmt: skip


def _demanded(known: Unit, source: Evidence) -> NotApplicable | None:
    try:
        demand(known, source.subject)
    except NotApplicable as absent:
        return absent
    return None


class _Given:
    """Evidence with some of its values replaced."""

    def __init__(self, source: Evidence, values: dict[str, Any]) -> None:
        self.subject, self.alone, self._values = source.subject, source.alone, values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]


def _read(unit: Unit, source: Any) -> Reading:
    with warnings.catch_warnings():
        # The LSTM is called member by member, as it should be; tests/engine/population holds it to saying so.
        warnings.filterwarnings("ignore", message="this network cannot be vectorised")
        return read_measure(unit, source)


def _numbers(reading: Reading, column: str = "value") -> np.ndarray:
    return np.ma.filled(np.ma.asarray(getattr(reading, column), dtype=np.float64), np.nan)


def _random_state() -> tuple[bytes, bytes]:
    # Python's own state is left out: beartype draws from it to choose which items of a container it looks at.
    state: Any = np.random.get_state()  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), state[1].tobytes()


def _is_float(leaf: Any) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.is_floating_point()


def _poison(leaf: Any) -> Any:
    """NaN throughout for member 1."""
    if _is_float(leaf):
        leaf = leaf.clone()
        leaf[1] = float("nan")
    return leaf


def _assert_equal(one: Reading, i: int, other: Reading, j: int, what: str) -> None:
    assert one.statuses[i] is other.statuses[j], f"{what}: {one.statuses[i].code} against {other.statuses[j].code}"
    for column in ("value", "standard_error", "low", "high"):
        ours, theirs = _numbers(one, column)[i], _numbers(other, column)[j]
        assert np.isclose(ours, theirs, rtol=SAME, atol=1e-9, equal_nan=True), (
            f"{what}: {column} {ours} against {theirs}"
        )
