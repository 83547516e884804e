"""Advice on a training: which checkpoint to ship, what more training would bring, whether a regulariser could pay."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

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
        gap: Validation minus training value at that step; None where one is missing.
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
        validation: Per checkpoint and validation example whether it was wrong (0 or 1), or its loss, ``[checkpoints, examples]``; a row
            for each step at which the validation error or loss was read, in their order.
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
    gap, most = _gap(mine, measure, step, found)
    sentences = {
        "checkpoint": said_of_choice(found, step, measure),
        **({"limit": said_of_limit(found, measure)} if found.limit is not None else {}),
        "more training": said_of_more(more, measure),
        "regularisation": said_of_gap(gap, most, measure),
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


def _gap(table: "pandas.DataFrame", measure: str, step: int, found: Selection) -> tuple[float | None, float | None]:
    """Validation minus training value at the choice, and the most that it may truly be."""
    steps, values = curve(table, measure.replace("validation", "train"))
    before = np.flatnonzero((steps <= step) & np.isfinite(values))
    if not len(before):
        return None, None
    train = float(values[before[-1]])
    expected = found.seen if found.expected is None else found.expected
    return expected - train, None if found.limit is None else max(0.0, found.limit - train)


def said_of_choice(found: Selection, step: int, measure: str) -> str:
    """The sentence on the checkpoint to ship.

    Args:
        found: The choice.
        step: Its step.
        measure: By which it was chosen.

    Returns:
        One sentence.
    """
    what = measure.replace("-", " ")
    of = f"the lowest {what} of {found.checkpoints}" if found.checkpoints > 1 else f"the only {what}"
    said = (
        f"Ship the checkpoint of step {step:,}: it has {of} checkpoint{'s' * (found.checkpoints > 1)}, {found.seen:.4g}"
    )
    if found.expected is None:
        return f"{said}; {found.reason}."
    if found.optimism == 0:
        return f"{said}, and no other came near enough for luck to have chosen it: expect as much on other data."
    return (
        f"{said}, and {found.expected:.4g} is to be expected on other data, for being the best of several flatters it."
    )


def said_of_limit(found: Selection, measure: str) -> str:
    """The sentence on the limit.

    Args:
        found: The choice, with a limit.
        measure: By which it was chosen.

    Returns:
        One sentence.
    """
    what = "error" if measure.endswith("error") else "loss"
    return (
        f"With probability at least {100 * (1 - found.delta):g} % its {what} on unseen data is at most {found.limit:.4g}, although it "
        f"was chosen among {found.checkpoints}, if nothing but this choice has used the validation examples."
    )


def said_of_more(more: Extrapolation, measure: str) -> str:
    """The sentence on more training.

    Args:
        more: The extrapolation.
        measure: Of what.

    Returns:
        One sentence.
    """
    if more.value is None:
        return f"What more training would bring is not said: {more.reason}."
    return (
        f"If training goes on as it went, the {measure.replace('-', ' ')} at step {more.target:,.0f} will be about {more.value:.4g} "
        f"({100 * more.confidence:g} %: {more.low:.4g} to {more.high:.4g}), and now it is {more.now:.4g}."
    )


def said_of_gap(gap: float | None, most: float | None, measure: str) -> str:
    """The sentence on regularisation: what follows from the gap, and nothing else.

    The error on unseen data is the training error plus the gap. What does not lower the first can only lower the second,
    and by no more than all of it while it stays above 0.

    Args:
        gap: Validation minus training value; None where unknown.
        most: Its upper limit; None where unknown.
        measure: Of what.

    Returns:
        One sentence.
    """
    what = "error" if measure.endswith("error") else "loss"
    if gap is None:
        return f"Whether a regulariser could pay is not said: the training {what} was not read."
    if gap <= 0 and most is None:
        return f"The gap is {gap:.4g}: there is none that a regulariser could close."
    at_most = "by more than about that (no interval is known)" if most is None else f"by more than {most:.4g}"
    return (
        f"The gap is {gap:.4g}: a regulariser that does not lower the training {what} and leaves the gap at 0 or above cannot lower "
        f"the {what} on unseen data {at_most}."
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
