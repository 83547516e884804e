"""``heldout predict``: accuracy on unseen data and gap, from training data alone, with an interval; or an abstention."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.atlas import atlas_table, cells_of
from heldout.atlas.placing import LOSS, LOSS_SLACK, SIZES, outside
from heldout.engine.evidence.contexts import contexts
from heldout.engine.evidence.ledger_columns import measures_from_training_data
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.judging.ledger import numbers, read_table
from heldout.engine.predicting import fewest_groups, fitted_predictor
from heldout.engine.subject import Subject
from heldout.records import Refusal, Status
from heldout.verbs.audit import Progress, require_subject, whole_seed
from heldout.verbs.prediction import Predicted, Prediction

if TYPE_CHECKING:
    import pandas

TARGETS = {"accuracy": (0.0, 1.0), "gap": (-1.0, 1.0)}
STRANGE = 0.02  # a network as far from the known ones as fewer of them are is not predicted
PRESENT = 0.99  # share of the known networks that must have a reading for it to serve
Floats = np.ndarray[Any, np.dtype[np.float64]]


def predict(
    subject: Subject,
    *,
    ledgers: Sequence["str | Path | pandas.DataFrame"] = (),
    level: float = 0.9,
    seed: int = 0,
    progress: Progress | None = None,
) -> Prediction:
    """Say how the networks will do on unseen data of the kind they were trained on, without looking at any.

    A forest is grown on the readings of half of the known networks' cells and calibrated on the other half: the networks of the atlas
    that ships with heldout, and those of your own sweeps. Where your sweeps have cells enough they alone are calibrated on.

    Args:
        subject: Trained classifiers with their training data; test data, if any, are not looked at.
        ledgers: Your sweeps: tables, or paths of tables, as ``heldout judge`` takes them.
        level: Of the intervals.
        seed: Of readings, split and trees.
        progress: Called with the name of every reading and the share that is done.

    Returns:
        Values with intervals; a network unlike all known ones gets none, and a reason.

    Raises:
        Refusal: If the level is not between 0 and 1, or a ledger cannot serve.
    """
    require_subject(subject)
    seed = whole_seed(seed)
    if not isinstance(level, float) or not 0 < level < 1:
        raise Refusal(given=f"level was {level!r}", expected="a number between 0 and 1", do="pass level=0.9")
    known = _known(ledgers)
    if subject.loss.name != "cross-entropy" or subject.classes is None:
        return _abstained(
            subject, level, seed, Status.NOT_APPLICABLE, ["the networks are no classifiers under cross-entropy"]
        )
    names = _shared(known)
    table = known[known[names].notna().all(axis=1)].reset_index(drop=True)
    calibration, short = _calibrated_on(table, level)
    readings = _readings(subject, [name.removeprefix("measure.") for name in names], seed, progress)
    reasons = _strange(subject, readings, table[calibration])
    asked = [member for member, own in enumerate(reasons) if not own]
    names = [name for name in names if np.isfinite(readings[name][asked]).all()]
    if not names:
        reasons, asked = [own or ["no reading that the known networks have"] for own in reasons], []
    if not asked:
        return _abstained(subject, level, seed, Status.ABSTAINED, *(own + short for own in reasons))
    new = np.stack([readings[name][asked] for name in names], axis=1)
    features, groups = table[names].to_numpy(dtype=np.float64), table["group"].to_numpy()
    rows: list[Predicted] = []
    familiar: list[float | None] = [None] * len(reasons)
    for target, span in TARGETS.items():
        truth = table[target].to_numpy(dtype=np.float64)
        predictor = fitted_predictor(features, truth, groups, level=level, seed=seed, calibration=calibration)
        cells = len(np.unique(predictor.groups))
        if cells < fewest_groups(level):
            few = f"{cells} cells of networks to calibrate on, where an interval at {100 * level:g} % takes {fewest_groups(level)}"
            return _abstained(subject, level, seed, Status.ABSTAINED, *([*own, few, *short] for own in reasons))
        found = predictor(new)
        ends = np.clip(np.stack([found.value, found.low, found.high], axis=1), *span)
        strange_below = max(STRANGE, 1 / (cells + 1))  # of few cells: further than all of them
        for member, own in enumerate(reasons):
            if own:
                rows.append(_without(member, target, Status.ABSTAINED, own + short))
                continue
            place = asked.index(member)
            familiar[member] = float(found.familiar[place])
            rows.append(_row(member, target, ends[place], float(found.familiar[place]), strange_below))
    sources = table.source[calibration].value_counts()
    cell = "cell (architecture and data)" if "atlas" in sources else "configuration"
    statement = (
        f"At least {100 * level:g} % of such intervals hold the truth, for networks of a new {cell} "
        "that is drawn like those of the calibration; nothing is promised for one network alone or for another kind."
    )
    return Prediction(
        rows=rows,
        level=level,
        statement=" ".join([statement, *(f"Note: {words}." for words in short)]),
        calibrated_on={str(name): int(count) for name, count in sources.items()},
        measures=tuple(name.removeprefix("measure.") for name in names),
        familiar=tuple(familiar),
        seed=seed,
    )


def _known(ledgers: Sequence["str | Path | pandas.DataFrame"]) -> "pandas.DataFrame":
    """The networks of the atlas and of the user's ledgers; a configuration that several ledgers hold is one group."""
    import pandas

    atlas = atlas_table()
    cells = cells_of(atlas)
    parts = [atlas.assign(source="atlas", group=cells)]
    if ledgers:
        own = pandas.concat([_own(ledger, place) for place, ledger in enumerate(ledgers)], ignore_index=True)
        parts.append(own.assign(group=cells_of(own) + int(cells.max()) + 1))
    return pandas.concat(parts, ignore_index=True)


def _own(ledger: "str | Path | pandas.DataFrame", place: int) -> "pandas.DataFrame":
    import pandas

    if isinstance(ledger, str | Path):
        name, table = str(ledger), read_table(str(ledger))
    elif isinstance(ledger, pandas.DataFrame):
        name, table = f"ledger {place}", ledger
    else:
        raise Refusal(
            given=f"ledger {place} was a {type(ledger).__name__}",
            expected="a table or its path",
            do="pass a data frame",
        )
    columns = [str(column) for column in table]
    lacking = [column for column in ("gap", "accuracy") if column not in columns]
    lacking += [
        f"{start}<name>" for start in ("hp.", "measure.") if not any(column.startswith(start) for column in columns)
    ]
    if lacking:
        raise Refusal(
            given=f"the ledger '{name}' has no column {lacking[0]}",
            expected="hyper-parameters, accuracy, gap and readings of every network",
            do="make it with 'heldout judge --population'",
        )
    held: dict[str, Any] = {
        column: _single(numbers(table[column], column, name))
        for column in columns
        if column in TARGETS or column.startswith(("measure.", "context."))
    }
    for column in columns:
        if column.startswith("hp."):  # empty cells, words and lists are values like others
            held[column] = (table[column].astype(str) if table[column].dtype == object else table[column]).to_numpy()
    found = pandas.DataFrame({**held, "source": name})
    known = np.isfinite(held["gap"]) & np.isfinite(held["accuracy"])
    if not known.any():
        raise Refusal(
            given=f"no network of the ledger '{name}' has a gap and an accuracy",
            expected="both of every network",
            do="make it with 'heldout judge --population'",
        )
    return found[known]


def _single(values: Floats) -> Floats:
    """As the atlas holds numbers, so that equal readings are equal; what is infinite there is no reading."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32).astype(np.float64)
    return np.where(np.isfinite(single), single, np.nan)


def _shared(known: "pandas.DataFrame") -> list[str]:
    """Readings that nearly all networks of every source have."""
    columns = [str(name) for name in known if str(name).startswith("measure.")]
    present = known[columns].notna().groupby(known["source"]).mean().min()
    names = [name for name in columns if present[name] >= PRESENT]
    if not names:
        raise Refusal(
            given="the ledgers have no reading of the catalog in common with the atlas",
            expected="columns measure.<name> that nearly every network has",
            do="make them with 'heldout judge --population'",
        )
    return names


def _calibrated_on(known: "pandas.DataFrame", level: float) -> tuple[np.ndarray, list[str]]:
    """Which may be calibrated on: the user's where they have cells enough, otherwise the atlas's; and what they lack."""
    own = (known.source != "atlas").to_numpy()
    have, needed = known.group[own].nunique(), 2 * fewest_groups(level)
    if have >= needed:
        return own, []
    return ~own, [f"your ledgers have {have} configurations, and {needed} could be calibrated on"] if own.any() else []


def _readings(subject: Subject, names: Sequence[str], seed: int, progress: Progress | None) -> Mapping[str, Floats]:
    evidence = Evidence(subject, seed=seed)
    wanted = [
        unit for unit in measures_from_training_data(dear=False) if unit.name in names or unit.name == "train-loss"
    ]
    found = {}
    for done, unit in enumerate(wanted):
        value = read_measure(unit, evidence).value
        found[f"measure.{unit.name}"] = _single(np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan))
        if progress:
            progress(unit.name, (done + 1) / len(wanted))
    nothing = np.full(len(subject.population), np.nan)
    return {f"measure.{name}": found.get(f"measure.{name}", nothing) for name in (*names, "train-loss")}


def _strange(subject: Subject, readings: Mapping[str, Floats], table: "pandas.DataFrame") -> list[list[str]]:
    """In what each member is unlike all known networks."""
    facts = {**contexts(subject), "measure.params": float(subject.population.size)}
    common = outside(facts, table, SIZES)
    most = float(table[LOSS].max()) if LOSS in table and table[LOSS].notna().any() else np.inf
    return [
        [*common, *([] if loss <= LOSS_SLACK * most else [_unfitted(float(loss), most)])] for loss in readings[LOSS]
    ]


def _unfitted(loss: float, most: float) -> str:
    return f"a training loss of {loss:.2g}, where the known networks have at most {most:.2g}"


def _abstained(subject: Subject, level: float, seed: int, status: Status, *reasons: Sequence[str]) -> Prediction:
    """No number for any member; one list of reasons for all, or one a member."""
    size = len(subject.population)
    each = reasons if len(reasons) == size else reasons * size
    rows = [_without(member, target, status, each[member]) for target in TARGETS for member in range(size)]
    return Prediction(rows, level, "", {}, (), (None,) * size, seed)


def _without(member: int, target: str, status: Status, reasons: Sequence[str]) -> Predicted:
    return Predicted(member, target, None, None, None, status.code, "; ".join(reasons))


def _row(member: int, target: str, ends: Floats, familiar: float, strange_below: float) -> Predicted:
    if familiar <= strange_below:
        reason = (
            f"readings unlike those of any known network: {100 * familiar:.1f} % of them lie as far from the others"
        )
        return _without(member, target, Status.ABSTAINED, [reason])
    value, low, high = map(float, ends)
    return Predicted(member, target, value, low, high, Status.OK.code, "")
