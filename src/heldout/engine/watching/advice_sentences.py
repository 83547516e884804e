"""What advice says, one sentence a topic."""

from heldout.engine.watching.extrapolation import Extrapolation
from heldout.engine.watching.selection import Selection


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
        f"With probability at least {100 * (1 - found.delta):g} % its {what} on unseen data is at most {found.limit:.4g}, although "
        f"it was chosen among {found.checkpoints}, if nothing but this choice has used the validation examples."
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
