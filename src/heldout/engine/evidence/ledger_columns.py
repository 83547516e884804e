"""Networks as rows of a ledger: what they are judged by, and every reading that sees no test data."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heldout.catalog import Unit, find, units
from heldout.engine.evidence.contexts import contexts
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, sees_test_data, thorough
from heldout.engine.subject import Subject

Column = NDArray[np.float64]


def ledger_columns(subject: Subject, measures: Sequence[Unit], *, seed: int = 0) -> dict[str, Column]:
    """What a ledger holds of each network.

    Args:
        subject: Networks with training and test data.
        measures: To record.
        seed: Of stochastic readings.

    Returns:
        Columns ``[M]``: ``train_accuracy``, ``accuracy``, ``loss``, ``gap``, ``test_size``, ``context.<name>`` and
        ``measure.<name>``; NaN where a network has no number.
    """
    evidence = Evidence(subject, seed=seed)

    def column(unit: Unit) -> Column:
        return np.ma.filled(np.ma.asarray(read_measure(unit, evidence).value, dtype=np.float64), np.nan)

    fitted, accuracy, loss = (column(find(name)) for name in ("train-accuracy", "test-accuracy", "test-loss"))
    size = np.full(len(fitted), 0.0 if subject.test is None else len(subject.test))
    known = {name: np.full(len(fitted), np.nan if v is None else v) for name, v in contexts(subject).items()}
    targets = {
        "train_accuracy": fitted,
        "accuracy": accuracy,
        "loss": loss,
        "gap": fitted - accuracy,
        "test_size": size,
    }
    return {**targets, **known, **{f"measure.{unit.name}": column(unit) for unit in measures}}


def measures_from_training_data(*, dear: bool) -> list[Unit]:
    """The measures that a prediction may rest on: those that see no test data.

    Args:
        dear: Whether those of a thorough audit are among them.

    Returns:
        Their units.
    """
    return [
        unit
        for unit in units("measure").values()
        if not sees_test_data(unit.needs) and (dear or not thorough(unit.needs))
    ]
