"""``heldout predict``: accuracy on unseen data and gap, from training data alone, with an interval; or an abstention."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.atlas import atlas_table, cells_of
from heldout.atlas.placing import LOSS, LOSS_SLACK, SIZES, outside
from heldout.engine.evidence.contexts import contexts
from heldout.engine.evidence.ledger_columns import measures_from_training_data
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence
from heldout.engine.judging.ledger import read_table
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
    ledgers: Sequence["str | pandas.DataFrame"] = (),
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
    own = [_own(ledger, place) for place, ledger in enumerate(ledgers)]
    known = _together([("atlas", atlas_table()), *own])
    if subject.loss.name != "cross-entropy" or subject.classes is None:
        return _abstained(
            subject, level, seed, Status.NOT_APPLICABLE, ["the networks are no classifiers under cross-entropy"]
        )
    table, calibration = _calibrated_on(known, level)
    columns = [str(name) for name in table]
    names = [name for name in columns if name.startswith("measure.") and table[name].notna().mean() >= PRESENT]
    readings = _readings(subject, [name.removeprefix("measure.") for name in names], seed, progress)
    names = [name for name in names if np.isfinite(readings[name]).all()]
    strange = _strange(subject, readings, table[calibration])
    if strange:
        return _abstained(subject, level, seed, Status.ABSTAINED, strange)
    whole = table[names].notna().all(axis=1).to_numpy()
    table, calibration = table[whole], calibration[whole]
    features = table[names].to_numpy(dtype=np.float64)
    new = np.stack([readings[name].astype(np.float32).astype(np.float64) for name in names], axis=1)
    groups = table["group"].to_numpy()
    rows: list[Predicted] = []
    familiar: Floats = np.ones(len(new))
    for target, span in TARGETS.items():
        truth = table[target].to_numpy(dtype=np.float64)
        predictor = fitted_predictor(features, truth, groups, level=level, seed=seed, calibration=calibration)
        found = predictor(new)
        familiar = found.familiar
        strange_below = max(
            STRANGE, 1 / (len(np.unique(predictor.groups)) + 1)
        )  # of few cells: further than all of them
        ends = np.clip(np.stack([found.value, found.low, found.high], axis=1), *span)
        rows += [_row(m, target, ends[m], float(familiar[m]), strange_below) for m in range(len(new))]
    sources = table.source[calibration].value_counts()
    return Prediction(
        rows=rows,
        level=level,
        statement=f"At least {100 * level:g} % of such intervals hold the truth, for networks of a new cell (architecture and data) "
        "that is drawn like those of the calibration; nothing is promised for one network alone or for another kind.",
        calibrated_on={str(name): int(count) for name, count in sources.items()},
        measures=tuple(name.removeprefix("measure.") for name in names),
        familiar=tuple(float(p) for p in familiar),
        seed=seed,
    )


def _own(ledger: "str | pandas.DataFrame", place: int) -> tuple[str, "pandas.DataFrame"]:
    name, table = (ledger, read_table(ledger)) if isinstance(ledger, str) else (f"ledger {place}", ledger)
    lacking = [column for column in ("gap", "accuracy") if column not in table]
    if lacking or not any(str(column).startswith("measure.") for column in table):
        raise Refusal(
            given=f"the ledger '{name}' has no column {lacking[0] if lacking else 'measure.<name>'}",
            expected="accuracy, gap and readings of every network",
            do="make it with 'heldout judge --population'",
        )
    return name, table


def _together(parts: Sequence[tuple[str, "pandas.DataFrame"]]) -> "pandas.DataFrame":
    import pandas

    whole, first = [], 0
    for name, table in parts:
        cells = cells_of(table)
        whole.append(table.assign(source=name, group=cells + first))
        first += int(cells.max()) + 1
    return pandas.concat(whole, ignore_index=True)


def _calibrated_on(known: "pandas.DataFrame", level: float) -> tuple["pandas.DataFrame", np.ndarray]:
    """All networks; and which may be calibrated on: the user's where they have cells enough, otherwise the atlas's."""
    own = (known.source != "atlas").to_numpy()
    enough = known.group[own].nunique() >= 2 * fewest_groups(level)
    return known, own if enough else ~own


def _readings(subject: Subject, names: Sequence[str], seed: int, progress: Progress | None) -> Mapping[str, Floats]:
    evidence = Evidence(subject, seed=seed)
    wanted = [
        unit for unit in measures_from_training_data(dear=False) if unit.name in names or unit.name == "train-loss"
    ]
    found = {}
    for done, unit in enumerate(wanted):
        value = read_measure(unit, evidence).value
        found[f"measure.{unit.name}"] = np.ma.filled(np.ma.asarray(value, dtype=np.float64), np.nan)
        if progress:
            progress(unit.name, (done + 1) / len(wanted))
    nothing = np.full(len(subject.population), np.nan)
    return {f"measure.{name}": found.get(f"measure.{name}", nothing) for name in (*names, "train-loss")}


def _strange(subject: Subject, readings: Mapping[str, Floats], table: "pandas.DataFrame") -> list[str]:
    loss = float(readings[LOSS].max())
    facts = {**contexts(subject), "measure.params": float(subject.population.size)}
    found = outside(facts, table, SIZES)
    most = float(table[LOSS].max()) if LOSS in table else np.inf
    if not loss <= LOSS_SLACK * most:
        found.append(f"a training loss of {loss:.2g}, where the known networks have at most {most:.2g}")
    return found


def _abstained(subject: Subject, level: float, seed: int, status: Status, reasons: Sequence[str]) -> Prediction:
    reason = "; ".join(reasons)
    rows = [
        Predicted(member, target, None, None, None, status.code, reason)
        for target in TARGETS
        for member in range(len(subject.population))
    ]
    return Prediction(rows, level, "", {}, (), (None,) * len(subject.population), seed)


def _row(member: int, target: str, ends: Floats, familiar: float, strange_below: float) -> Predicted:
    if familiar <= strange_below:
        reason = (
            f"readings unlike those of any known network: {100 * familiar:.1f} % of them lie as far from the others"
        )
        return Predicted(member, target, None, None, None, Status.ABSTAINED.code, reason)
    value, low, high = map(float, ends)
    return Predicted(member, target, value, low, high, Status.OK.code, "")
