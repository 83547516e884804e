"""What is said of a watched run: its phases, its advice, its record."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout._version import __version__
from heldout.engine.watching.advice import advise
from heldout.engine.watching.faults import Faults
from heldout.engine.watching.phases import phases
from heldout.engine.watching.rows import Row
from heldout.engine.watching.running import Running
from heldout.faces.numbers import interval, number

if TYPE_CHECKING:
    import pandas

SHOWN = ("loss", "train-loss", "validation-loss", "train-error", "validation-error", "gap")


@dataclass(frozen=True, slots=True)
class Words:
    """Phases and advice of a run so far.

    Attributes:
        phases: That it went through.
        advice: What to do, or None.
    """

    phases: tuple[Any, ...] = ()
    advice: Any = None


def words_on(table: "pandas.DataFrame", validation: np.ndarray | None, faults: Faults) -> Words:
    """Phases and advice from what was read.

    Args:
        table: Readings.
        validation: Errors of the validation examples, ``[checkpoints, examples]``.
        faults: Told where one of the two failed; a training goes on without.

    Returns:
        They.
    """
    if not len(table):
        return Words()

    def tried(what: str, say: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return say()
        except Exception as error:
            faults.note(what, error)
            return otherwise

    return Words(
        tried("naming the phase", lambda: phases(table), ()),
        tried("advice", lambda: advise(table, validation), None),
    )


def about(running: Running) -> dict[str, Any]:
    """What is said of a run at its beginning.

    Args:
        running: The run.

    Returns:
        Plain values.
    """
    looking, spacing = running.looking, running.spacing
    return {
        "kind": "watch",
        "network": str(looking.source.network),
        "parameters": looking.source.initial.size,
        "train": looking.train.total,
        "validation": None if looking.validation is None else looking.validation.total,
        "watched": [len(part.examples) for part in (looking.train, looking.validation) if part is not None],
        "budget": spacing.budget if math.isfinite(spacing.budget) else None,
        "groups": list(looking.groups),
        "seed": looking.seed,
        "start": spacing.start,
        "heldout": __version__,
    }


def ending(running: Running, words: Words) -> dict[str, Any]:
    """What is said of a run so far, or at its end.

    Args:
        running: The run.
        words: Phases and advice.

    Returns:
        Plain values.
    """
    costs = {"spent": running.spacing.spent, "training": running.training, "groups": running.spacing.costs()}
    return {
        "overhead": running.share,
        "costs": {**running.seconds, **costs},
        "faults": list(running.looking.faults.said),
        "phases": [plain(phase) for phase in words.phases],
        "advice": None if words.advice is None else plain(words.advice),
    }


def record_of(about: Mapping[str, Any], rows: Sequence[Row], ending: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run.

    Args:
        about: What was said at its beginning.
        rows: Readings.
        ending: What is said so far of its end.

    Returns:
        Plain values.
    """
    return {"schema": 1, **about, **ending, "readings": [row._asdict() for row in rows]}


def summary(record: Mapping[str, Any]) -> str:
    """A run in a few lines.

    Args:
        record: What ``Watch.to_dict`` gave.

    Returns:
        Text.
    """
    latest = {row["name"]: row for row in record["readings"] if row["value"] is not None}
    last = record["readings"][-1]["step"] if record["readings"] else record["start"]
    lines = [f"{record['name']} at step {last}: " + ", ".join(_said(latest[name]) for name in SHOWN if name in latest)]
    if record["phases"]:
        phase = record["phases"][-1]
        lines.append(
            f"{phase['name']} since step {phase['begin']} (confidence {number(phase['confidence'])}): {phase['why']}"
        )
    share = f"{100 * record['overhead']:.2g} % of training time"
    budget = "no budget" if record["budget"] is None else f"a budget of {100 * record['budget']:.2g} %"
    lines.append(f"readings took {share}, of {budget}; {number(record['costs']['setup'])} s before the first step")
    return "\n".join([*lines, *record["faults"]])


def plain(thing: Any) -> dict[str, Any]:
    """A record in values that JSON knows.

    Args:
        thing: A dataclass or a named tuple, or anything with ``to_dict``.

    Returns:
        Name -> value.
    """
    if hasattr(thing, "to_dict"):
        return dict(thing.to_dict())
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return dataclasses.asdict(thing)
    return dict(thing._asdict())


def _said(row: Mapping[str, Any]) -> str:
    around = interval(row)
    return f"{row['name']} {number(row['value'])}" + (f" {around}" if around else "")
