"""From trained networks to a ledger: every measure of the catalog on each of them, bucket by bucket, kept as it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas

from heldout._version import __version__
from heldout.catalog import Unit, units
from heldout.engine.evidence.contexts import contexts
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, expected_passes, sees_test_data
from heldout.engine.store import Store, address, keep_part, parts
from heldout.engine.subject import Examples, Subject
from heldout.records import Reading, Status

SEES = "it reads the test data that the target is measured on"
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """A bucket of trained networks.

    Attributes:
        name: The same name means the same networks and data.
        settings: Hyper-parameters of each member, and its seed.
        subject: Networks, training data as they saw them, loss, initial weights; without test data, so that no measure sees them.
        test: What targets are measured on.
        shift: Data from elsewhere, for ``shift_accuracy``.
    """

    name: str
    settings: tuple[Mapping[str, Any], ...]
    subject: Subject
    test: Examples
    shift: Examples | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A table of networks, and why measures are missing in it.

    Attributes:
        table: A ledger.
        absent: Measure -> why it has no value for any network.
    """

    table: pandas.DataFrame
    absent: Mapping[str, str] = field(default_factory=dict)


def measured(
    buckets: Sequence[Callable[[], Networks | None]],
    measures: Mapping[str, Unit],
    *,
    own: Sequence[Unit] = (),
    seed: int = 0,
    store: Store | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Read every measure on every network, and how each did on data it had not seen.

    Args:
        buckets: Each makes its networks when its turn comes, so that one bucket is in memory at a time.
        measures: Of the catalog; their readings are kept in the store as they are made, and taken up from there.
        own: Measures from elsewhere; they are computed anew, as nobody knows whether their text has changed.
        seed: Of stochastic readings.
        store: Where readings are kept; None for nowhere.
        progress: Told the name of what was read and the share of the work that is done.

    Returns:
        The ledger.
    """
    absent = {unit.name: SEES for unit in measures.values() if sees_test_data(unit.needs)}
    wanted = [*(unit for unit in measures.values() if unit.name not in absent), *own]
    total, tell = sum(map(_weight, wanted)), progress or (lambda _name, _share: None)
    rows: list[dict[str, Any]] = []
    said: dict[str, set[str]] = {unit.name: set() for unit in wanted}
    valued: set[str] = set()
    for place, make in enumerate(buckets):
        networks = make()
        if networks is None:  # the training of all of them diverged
            continue
        key = address(judge=networks.name, seed=seed, heldout=__version__)
        kept = {} if store is None else parts(store, key)
        evidence, columns, spent = Evidence(networks.subject, seed=seed), targets_of(networks, seed), 0.0
        for unit in sorted(wanted, key=_weight):
            if unit.name in kept and unit.name in measures:
                reading = Reading.from_rows(kept[unit.name]["rows"])
            else:
                reading = read_measure(unit, evidence)
                if store is not None and unit.name in measures:
                    keep_part(store, key, unit.name, {"rows": reading.rows()})
            columns[f"measure.{unit.name}"] = reading.value.tolist()
            said[unit.name] |= {reason for reason in reading.reasons if reason}
            valued |= {unit.name} if any(status is Status.OK for status in reading.statuses) else set()
            spent += _weight(unit)
            tell(f"{unit.name}, bucket {place + 1} of {len(buckets)}", (place + spent / total) / len(buckets))
        rows += [
            {**_settings(settings), **{name: values[member] for name, values in columns.items()}}
            for member, settings in enumerate(networks.settings)
        ]
    names = [unit.name for unit in wanted]
    absent |= {name: min(said[name], default="no network has a value") for name in names if name not in valued}
    table = pandas.DataFrame(rows)
    leading = [name for name in table.columns if not name.startswith("measure.")]
    return Measured(table[leading + [f"measure.{name}" for name in names if name in valued]], absent)


def targets_of(networks: Networks, seed: int) -> dict[str, list[float | None]]:
    """How networks did on data they had not seen.

    Args:
        networks: A bucket.
        seed: Of nothing that decides these numbers.

    Returns:
        Column -> one number a member: gap (in accuracy; of a regression in loss), accuracy, loss, shift_accuracy, test_size,
        and ``context.<name>``, by which ``heldout predict`` knows what a network can be compared with.
    """
    unseen = _with_test(networks, networks.test, seed)
    columns: dict[str, list[float | None]] = {"test_size": [float(len(networks.test))] * len(networks.settings)}
    facts = contexts(networks.subject)
    columns |= {name: [value] * len(networks.settings) for name, value in facts.items() if value is not None}
    columns["loss"] = _read("test-loss", unseen)
    if networks.subject.loss.task == "classification":
        columns |= {"accuracy": _read("test-accuracy", unseen), "gap": _read("accuracy-gap", unseen)}
    else:
        columns["gap"] = _read("loss-gap", unseen)
    if networks.shift is not None:
        columns["shift_accuracy"] = _read("test-accuracy", _with_test(networks, networks.shift, seed))
    return columns


def _with_test(networks: Networks, test: Examples, seed: int) -> Evidence:
    own = networks.subject
    return Evidence(Subject(own.population, own.train, test, loss=own.loss, duplicates="allow"), seed=seed)


def _read(name: str, evidence: Evidence) -> list[float | None]:
    values: list[float | None] = read_measure(units("measure")[name], evidence).value.tolist()
    return values


def _settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key if key == "seed" else f"hp.{key}": value if isinstance(value, str | int | float | bool) else repr(value)
        for key, value in settings.items()
    }


def _weight(unit: Unit) -> float:
    passes = expected_passes(unit.needs)
    return passes.forward + 2 * passes.backward + 0.1
