"""What a loader gives, and words as class numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from heldout.engine.subject.examples import Examples
from heldout.records import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """Examples from a file, and what a second file must repeat.

    Attributes:
        examples: Inputs and labels.
        classes: The name of each class number, where labels were words; otherwise empty.
        columns: Names of the feature columns in the order of the inputs, where there were columns; otherwise empty.
    """

    examples: Examples
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def numbered(words: Sequence[str], argument: str, classes: tuple[str, ...] = ()) -> tuple[Tensor, tuple[str, ...]]:
    """Words as class numbers: sorted on the training data, and the training data's numbers everywhere else.

    Args:
        words: One label an example.
        argument: The argument's name.
        classes: The training data's names; empty if these are the training data.

    Returns:
        Class numbers ``[N]`` and the names.

    Raises:
        Refusal: If a word is not among ``classes``.

    Example:
        >>> numbered(["dog", "cat", "dog"], "train")
        (tensor([1, 0, 1]), ('cat', 'dog'))
        >>> numbered(["dog"], "test", ("cat", "dog"))
        (tensor([1]), ('cat', 'dog'))
    """
    names = classes or tuple(sorted(set(words)))
    strangers = sorted(set(words) - set(names))
    if strangers:
        raise Refusal(
            given=f"{argument} has the label '{strangers[0]}', which the training data have not",
            expected=f"labels among {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}",
            do="drop these examples or correct their labels",
        )
    number = {name: index for index, name in enumerate(names)}
    return torch.from_numpy(np.array([number[word] for word in words], dtype=np.int64)), names


def reason(error: BaseException) -> str:
    r"""A stranger's error as a clause that fits into a sentence.

    Args:
        error: Anything.

    Returns:
        Its kind and the first line of its words, at most 200 characters.

    Example:
        >>> reason(ValueError("no luck.\nmore"))
        'ValueError: no luck'
    """
    lines = str(error).strip().splitlines()
    words = f": {lines[0].strip().rstrip('.')}" if lines and lines[0].strip() else ""
    return f"{type(error).__name__}{words}"[:200]
