"""What the names of other tools mean: theirs to ours."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from heldout.engine.watching.logs.scalars import Series
from heldout.records import Refusal

OURS = ("loss", "train-loss", "train-error", "validation-loss", "validation-error")
TRAIN = {"train", "training", "tr"}
#: A test set is none of these: whoever chooses on it says so with --map.
VALIDATION = {"val", "valid", "validation", "eval", "evaluation", "dev"}
TEST = {"test", "testing"}
LOSS = {"loss"}
ACCURACY = {"acc", "accuracy"}
ERROR = {"err", "error"}
#: Words that change nothing about what is measured.
IDLE = {"epoch", "step", "mean", "avg", "average", "running", "vs", "iterations", "metrics", "top1", "1", "0", "categorical",
        "sparse",        "binary", "multiclass", "rate", "dataloader", "idx", "ce", "xent", "cross", "entropy"}  # fmt: skip


class Meaning(NamedTuple):
    """What one of their scalars is.

    Attributes:
        theirs: Its name in the log.
        ours: Its name here.
        turned: Whether 1 minus it is ours: an accuracy, whose error is ours.
    """

    theirs: str
    ours: str
    turned: bool = False


def meaning_of(name: str) -> Meaning | None:
    """The meaning of one name, if it has one.

    Args:
        name: As logged.

    Returns:
        None for what is no loss or error of training or validation data: learning rates, test sets, other scores.

    Example:
        >>> meaning_of("eval_loss").ours, meaning_of("Accuracy/val"), meaning_of("test_acc")
        ('validation-loss', Meaning(theirs='Accuracy/val', ours='validation-error', turned=True), None)
    """
    words = words_of(name)
    kinds = [(kind, place) for place, kind in enumerate((LOSS, ACCURACY, ERROR)) if kind & set(words)]
    sides = [side for side, of in (("train", TRAIN), ("validation", VALIDATION), ("test", TEST)) if of & set(words)]
    rest = set(words) - LOSS - ACCURACY - ERROR - TRAIN - VALIDATION - TEST - IDLE
    if len(kinds) != 1 or rest or "test" in sides or len(sides) > 1:
        return None
    of_loss = kinds[0][1] == 0
    if not sides:
        return Meaning(name, "loss" if of_loss else "train-error", not of_loss and kinds[0][1] == 1)
    return Meaning(name, f"{sides[0]}-{'loss' if of_loss else 'error'}", kinds[0][1] == 1)


def words_of(name: str) -> list[str]:
    """A name's words, in lower case: parted where it says so, and where a capital follows a small letter.

    Args:
        name: As logged.

    Returns:
        Words, of which one that stands twice (``train/train_loss``) counts once.

    Example:
        >>> words_of("train/trainLoss_epoch")
        ['train', 'loss', 'epoch']
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return list(dict.fromkeys(word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word))


def meanings(names: Sequence[str], given: Mapping[str, str]) -> tuple[list[Meaning], list[str]]:
    """One scalar of a log for each of our names.

    Of several that could be one of ours, those that were named come first, then averages of an epoch before values of a step,
    then the shorter name. A loss that says nothing of its data is the training loss where nothing else is.

    Args:
        names: Of the log.
        given: Theirs -> ours, by hand.

    Returns:
        Meanings, in the order of ours, and the names that had a meaning and were not taken.

    Example:
        >>> found, left = meanings(["train_loss_step", "train_loss_epoch", "val_loss", "lr"], {})
        >>> [(each.theirs, each.ours) for each in found], left
        ([('train_loss_epoch', 'train-loss'), ('val_loss', 'validation-loss')], ['train_loss_step'])
    """
    known = [found for name in names if name not in given and (found := meaning_of(name)) is not None]
    by_hand = [
        Meaning(theirs, ours.removeprefix("1-"), ours.startswith("1-"))
        for theirs, ours in given.items()
        if theirs in names
    ]
    known.sort(key=lambda each: ("step" in words_of(each.theirs), len(words_of(each.theirs)), each.theirs))
    chosen: dict[str, Meaning] = {}
    for each in [*by_hand, *known]:
        chosen.setdefault(each.ours, each)
    if "loss" in chosen and "train-loss" not in chosen:
        chosen["train-loss"] = chosen.pop("loss")._replace(ours="train-loss")
    left = [each.theirs for each in known if all(each.theirs != taken.theirs for taken in chosen.values())]
    return [chosen[ours] for ours in OURS if ours in chosen], left


def map_of(words: Sequence[str]) -> dict[str, str]:
    """The names given by hand.

    Args:
        words: Each ``theirs=ours``, where ours may be ``1-validation-error`` for an accuracy.

    Returns:
        Theirs -> ours.

    Raises:
        Refusal: If it is not so.

    Example:
        >>> map_of(["score=1-validation-error"])
        {'score': '1-validation-error'}
    """
    found = {}
    for word in words:
        theirs, _, ours = word.rpartition("=")
        if not theirs or ours.removeprefix("1-") not in OURS or (ours.startswith("1-") and not ours.endswith("error")):
            raise Refusal(
                given=f"--map was '{word}'",
                expected=f"THEIRS=OURS with ours one of {', '.join(OURS)}, or 1-validation-error for an accuracy",
                do="pass such as --map score=1-validation-error",
            )
        found[theirs] = ours
    return found


def translated(series: Series, meaning: Meaning) -> tuple[Series | None, str]:
    """A scalar in our units.

    Errors are shares from 0 to 1: percentages are known by a value above 1.

    Args:
        series: Theirs.
        meaning: What it is.

    Returns:
        Ours, None where it cannot be; and a note, empty where there is nothing to say.

    Example:
        >>> theirs = Series(np.array([1]), np.array([75.0]), np.array([np.nan]))
        >>> ours, note = translated(theirs, Meaning("acc", "validation-error", turned=True))
        >>> ours.value.tolist(), note
        ([0.25], 'acc was read as per cent: it has values above 1.')
    """
    if not meaning.ours.endswith("error"):
        return series, ""
    finite = series.value[np.isfinite(series.value)]
    if len(finite) and (finite.min() < 0 or finite.max() > 100):
        return (
            None,
            f"{meaning.theirs} has values from {finite.min():.4g} to {finite.max():.4g} and is no share: it was left out.",
        )
    per_cent = bool(len(finite)) and bool(finite.max() > 1)
    share = series.value / 100 if per_cent else series.value
    note = f"{meaning.theirs} was read as per cent: it has values above 1." if per_cent else ""
    return series._replace(value=1 - share if meaning.turned else share), note
