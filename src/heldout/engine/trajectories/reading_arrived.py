"""Readings of networks that arrived: what they are judged by, every measure, and how fast they were trained."""

from collections.abc import Sequence

import numpy as np

from heldout.catalog import Unit
from heldout.engine.evidence.ledger_columns import Column, ledger_columns
from heldout.engine.evidence.reading_units import read_measure
from heldout.engine.evidence.resolving import Evidence, closure, thorough
from heldout.engine.subject import Examples, Subject
from heldout.engine.training import members_of
from heldout.engine.trajectories.arriving import Arm, Arrived, arrived_in, history_in
from heldout.engine.trajectories.recording import HISTORIES

FEW = 125  # training examples on which second derivatives and worst cases are read: all of them would take days


def readings(
    arrived: Arrived, train_set: Examples, test: Examples, chosen: Sequence[Unit], seed: int
) -> dict[str, Column]:
    """Risk and readings of networks of one architecture and training set, all at once.

    Args:
        arrived: The networks.
        train_set: Inputs and true labels.
        test: Unseen examples.
        chosen: Measures; what is dear is read on the first :data:`FEW` training examples.
        seed: Of stochastic readings.

    Returns:
        Columns of a ledger.
    """
    data = Examples(train_set.x, arrived.labels, y_per_member=True)
    dear = [unit for unit in chosen if thorough(unit.needs)]
    subject = Subject(arrived.final, data, test, initial=arrived.initial)
    few = Subject(arrived.final, data.take(slice(0, FEW)), test.take(slice(0, FEW)), initial=arrived.initial)
    on_few = ledger_columns(few, dear, seed=seed) if dear else {}
    return {**on_few, **ledger_columns(subject, [unit for unit in chosen if unit not in dear], seed=seed)}


def speeds(arms: Sequence[Arm], number: int, train_set: Examples, chosen: Sequence[Unit]) -> dict[str, Column]:
    """Readings of the training's history, arm by arm: an epoch is another number of steps in each.

    Args:
        arms: One a batch size.
        number: Of the training set.
        train_set: Inputs and true labels.
        chosen: Measures; those that need no history are left out.

    Returns:
        Columns of a ledger.
    """
    own = [unit for unit in chosen if not HISTORIES.isdisjoint(closure(unit.needs))]
    parts: list[dict[str, Column]] = []
    for arm in arms:
        if here := arrived_in(arm, number):
            data = Examples(train_set.x, arm.trajectory.train.y[here], y_per_member=True)
            subject = Subject(members_of(arm.trajectory.final, here), data, history=history_in(arm, here))
            evidence = Evidence(subject)
            parts.append({f"measure.{u.name}": np.ma.filled(read_measure(u, evidence).value, np.nan) for u in own})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
