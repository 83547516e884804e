"""Advice on a training: which checkpoint to ship, what more training would bring, whether a regulariser could pay."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from heldout.engine.watching.advice_sentences import said_of_choice, said_of_gap, said_of_limit, said_of_more
from heldout.engine.watching.extrapolation import Extrapolation
from heldout.engine.watching.limits import is_errors
from heldout.engine.watching.more_training import more_training
from heldout.engine.watching.phases import Phase
from heldout.engine.watching.phases import phases as phases_of
from heldout.engine.watching.selection import Selection, best_of, best_of_means, checked
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Advice:
    """What follows from the readings of a training.

    Attributes:
        step: Of the checkpoint to ship; None where nothing was read on validation data.
        measure: By which it was chosen, ``"validation-error"`` or ``"validation-loss"``.
        selection: The choice, corrected and certified.
        more: What twice the training would bring; None where nothing was read on validation data.
        gap: Validation minus training value at that step, of errors or else of losses; None where one is missing.
        regulariser: The most that a regulariser could bring, as far as is known; None where the gap is missing.
        sentences: Topic -> one sentence.
    """

    step: int | None
    measure: str
    selection: Selection | None
    more: Extrapolation | None
    gap: float | None
    regulariser: float | None
    sentences: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        Returns:
            Field -> value; a number that is none is None.
        """
        found: dict[str, Any] = _plain(asdict(self))
        return found


def advise(
    table: "pandas.DataFrame",
    validation: ArrayLike | None = None,
    *,
    examples: int | None = None,
    phases: Sequence[Phase] | None = None,
    delta: float = 0.05,
    adaptive: bool = False,
    loss_range: tuple[float, float] | None = None,
    member: int = 0,
    seed: int = 0,
) -> Advice:
    """Advice from the readings of one network.

    The choice is by the validation error where there is one, otherwise by the validation loss. With the losses of each example it is
    corrected for having been chosen; from means alone it has at most the limit that holds for any choice.

    Args:
        table: Readings of a watched run or of a log, with step, member, name, value, high.
        validation: Whether each checkpoint got each validation example wrong (0 or 1), or its loss, ``[checkpoints, examples]``; a
            row for each step at which the validation error or loss was read, in their order.
        examples: Validation examples, where only means are known.
        phases: Of the run, found in the table unless given; what lies before the last one began says nothing about more training.
        delta: Failure probability of the limit.
        adaptive: Whether the validation examples also decided when training ended.
        loss_range: Smallest and largest value that the loss can take.
        member: Of the population.
        seed: Of the resamples.

    Returns:
        The advice.

    Raises:
        Refusal: If there are not as many rows as checkpoints.

    Example:
        >>> import pandas
        >>> table = pandas.DataFrame({"step": [1, 2], "member": 0, "name": "validation-error", "value": [0.5, 0.25]})
        >>> advice = advise(table, np.array([[0, 1, 0, 1], [0, 0, 0, 1]]))
        >>> advice.step, advice.selection.seen
        (2, 0.25)
    """
    mine = table[table["member"] == member] if "member" in table else table
    given = None if validation is None else checked(validation)
    measure = _measure(mine, given)
    if not measure:
        return Advice(None, "", None, None, None, None, {
            "checkpoint": "Nothing was read on validation data, so no checkpoint is better than another as far as is known."
        })  # fmt: skip
    steps, values = curve(mine, measure)
    if given is not None:
        if len(given) != len(steps):
            raise Refusal(
                given=f"validation had {len(given)} rows and '{measure}' was read at {len(steps)} steps",
                expected="one row a step", do="keep the losses of every checkpoint at which it is read",
            )  # fmt: skip
        found = best_of(given, delta=delta, adaptive=adaptive, loss_range=loss_range, seed=seed)
    else:
        of_errors = measure == "validation-error"
        found = best_of_means(values, examples if of_errors else None, delta=delta, adaptive=adaptive)
    step = int(steps[found.checkpoint])
    stretches = phases_of(mine) if phases is None else phases
    since = float(stretches[-1].begin) if stretches else 0.0
    more = more_training(steps, values, since=since)
    of, gap, most = _gap(mine, measure, step, found)
    sentences = {
        "checkpoint": said_of_choice(found, step, measure),
        **({"limit": said_of_limit(found, measure)} if found.limit is not None else {}),
        "more training": said_of_more(more, measure),
        "regularisation": said_of_gap(gap, most, of),
    }
    return Advice(step, measure, found, more, gap, most, sentences)


def curve(table: "pandas.DataFrame", name: str) -> tuple[np.ndarray, np.ndarray]:
    """One reading by step.

    Args:
        table: Of one network.
        name: Of the reading.

    Returns:
        Steps and values, NaN where it has no number.
    """
    rows = table[table["name"] == name].sort_values("step")
    return rows["step"].to_numpy(dtype=np.int64), rows["value"].to_numpy(dtype=np.float64)


def _measure(table: "pandas.DataFrame", given: np.ndarray | None) -> str:
    """By what to choose: the error if there is one, or what the losses of each example are of."""
    there = [name for name in ("validation-error", "validation-loss") if np.isfinite(curve(table, name)[1]).any()]
    if given is not None and not is_errors(given):
        there = [name for name in there if name == "validation-loss"]
    return there[0] if there else ""


def _gap(
    table: "pandas.DataFrame", measure: str, step: int, found: Selection
) -> tuple[str, float | None, float | None]:
    """Validation minus training value at the choice, of what it was chosen by or else of losses, and the most it may truly be."""
    own = (found.seen if found.expected is None else found.expected, found.limit)
    other = (_before(table, "validation-loss", step), None)
    for name, (unseen, limit) in ((measure, own), ("validation-loss", other)):
        train = _before(table, name.replace("validation", "train"), step)
        if train is not None and unseen is not None:
            return name, unseen - train, None if limit is None else max(0.0, limit - train)
    return measure, None, None


def _before(table: "pandas.DataFrame", name: str, step: int) -> float | None:
    """The latest value of a reading at or before a step."""
    steps, values = curve(table, name)
    there = np.flatnonzero((steps <= step) & np.isfinite(values))
    return float(values[there[-1]]) if len(there) else None


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
