"""Records of a table or of lines as scalars: which column is the step, which are numbers."""

from collections.abc import Iterable, Mapping
from typing import Any

from heldout.engine.watching.logs.scalars import Log, series_of, whole
from heldout.records import Refusal

#: Names of the step, best first; each in lower case without what joins words.
STEPS = ("step", "globalstep", "trainerglobalstep", "iteration", "iter", "update", "batch", "epoch")
TIMES = ("timestamp", "walltime", "unixtime")
EPOCHS = ("epoch",)


def log_of(rows: Iterable[Mapping[str, Any]], name: str, step: str = "", skipped: int = 0) -> Log:
    """Scalars from records.

    Args:
        rows: Each with numbers, or words of numbers, by name.
        name: Of the file, for sentences.
        step: The column of the step; found by its name unless given.
        skipped: Lines that were no records.

    Returns:
        The log.

    Raises:
        Refusal: If no column is the step, or no row has one.

    Example:
        >>> log = log_of([{"epoch": "0", "loss": "2.5"}, {"epoch": "1", "loss": ""}], "log.csv")
        >>> log.unit, {name: series.value.tolist() for name, series in log.series.items()}
        ('epoch', {'loss': [2.5]})
    """
    table = list(rows)
    names = list(dict.fromkeys(key for row in table for key in row))
    place = step_column(names, name, step)
    clock = next((key for word in TIMES for key in names if plain(key) == word), None)
    found: dict[str, tuple[list[float], list[float], list[float]]] = {}
    without = 0
    for row in table:
        at = whole(number_of(row.get(place)))
        if at is None:
            without += 1
            continue
        time = number_of(row.get(clock)) if clock is not None else float("nan")
        for key, value in row.items():
            if key in (place, clock) or plain(key) in STEPS or not is_number(value):
                continue
            steps, values, times = found.setdefault(key, ([], [], []))
            steps.append(at)
            values.append(number_of(value))
            times.append(time)
    if not found:
        raise Refusal(
            given=f"'{name}' has no row with a number at a step ('{place}')", expected="numbers at whole steps from 0",
            do="pass --step with the column of the step",
        )  # fmt: skip
    notes = [f"{name}: {skipped} lines were no records and were passed over."] if skipped else []
    notes += [f"{name}: {without} records without a whole {place} were passed over."] if without else []
    series = {key: series_of(*columns) for key, columns in found.items()}
    return Log(series, tuple(notes), "epoch" if plain(place) in EPOCHS else "step")


def step_column(names: list[str], name: str, step: str) -> str:
    """Which column is the step.

    Args:
        names: Columns.
        name: Of the file.
        step: The column that was named; empty for none.

    Returns:
        Its name.

    Raises:
        Refusal: If it is not among them.
    """
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    if step:
        if step not in names:
            raise Refusal(
                given=f"--step was '{step}'", expected=f"a column of '{name}': {shown}", do="choose one of these"
            )
        return step
    found = [key for word in STEPS for key in names if plain(key) == word]
    if not found:
        raise Refusal(
            given=f"'{name}' has no column step or epoch among {shown or 'none'}", expected="a column of steps",
            do="pass --step with its name",
        )  # fmt: skip
    return found[0]


def plain(name: str) -> str:
    """A name without case and without what joins its words.

    Args:
        name: Such as ``"trainer/global_step"``.

    Returns:
        Such as ``"trainerglobalstep"``.
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def is_number(value: Any) -> bool:
    """Whether a value is a number, or the word of one; a truth value is none.

    Args:
        value: Any.

    Returns:
        Also for NaN and infinity, which a diverged training logs.
    """
    if isinstance(value, str):
        return bool(value.strip()) and _word(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(value: Any) -> float:
    """A number from a value.

    Args:
        value: Any.

    Returns:
        The number; NaN for what is none.
    """
    if isinstance(value, str):
        found = _word(value)
        return float("nan") if found is None else found
    try:
        return float(value) if is_number(value) else float("nan")
    except OverflowError:  # a whole number of four hundred digits
        return float("inf")


def _word(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
