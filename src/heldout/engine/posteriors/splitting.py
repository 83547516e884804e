"""Whether a prior saw the examples that a bound rests on: by their places, and by their content."""

import hashlib
from collections import Counter

import numpy as np
from torch import Tensor
from torch.utils._pytree import tree_leaves

from heldout.engine.subject import Examples
from heldout.records import Refusal


def check_prior(examples: Examples, prior: Tensor, bound: Tensor, *, content: bool = True) -> None:
    """Refuse a prior that saw examples of the bound.

    Args:
        examples: N.
        prior: Places of those that the prior was trained on.
        bound: Places of those that the bound rests on.
        content: Whether equal inputs count too. Independent draws of discrete data may repeat: then only places count.

    Raises:
        Refusal: If a place is in both, an input is, or the bound has no examples or one of them twice.
    """
    ours, theirs = set(bound.tolist()), set(prior.tolist())
    if not ours:
        raise Refusal(given="the bound has no examples", expected="at least one", do="keep some from the prior")
    if len(ours) < len(bound):
        raise Refusal(
            given="the bound counts an example twice", expected="places without repeats", do="remove the repeats"
        )
    if ours & theirs:
        some = ", ".join(map(str, sorted(ours & theirs)[:5]))
        raise Refusal(
            given=f"the prior saw {len(ours & theirs)} of the bound's examples (places {some})",
            expected="disjoint examples", do="train the prior on other examples, or leave these out of the bound",
        )  # fmt: skip
    if content:
        names = contents(examples)
        seen = {names[place] for place in theirs}
        repeats = [place for place in sorted(ours) if names[place] in seen]
        if repeats:
            raise Refusal(
                given=f"{len(repeats)} of the bound's examples have the same input as one that the prior saw "
                f"(places {', '.join(map(str, repeats[:5]))})",
                expected="inputs that the prior has not seen",
                do="remove repeated examples, or say duplicates='allow' if independent draws repeat in these data",
            )


def contents(examples: Examples) -> list[bytes]:
    """A digest of every input.

    Args:
        examples: N.

    Returns:
        N digests; equal inputs have equal ones (0 and -0 are equal).
    """
    rows = [hashlib.blake2b(digest_size=16) for _ in range(len(examples))]
    for leaf in tree_leaves(examples.x):
        table = leaf.detach().cpu()
        table = table.transpose(0, 1) if examples.x_per_member else table
        values = np.ascontiguousarray((table + 0).reshape(len(examples), -1).numpy())
        for row, value in zip(rows, values, strict=True):
            row.update(value.tobytes())
    return [row.digest() for row in rows]


def repeated(examples: Examples) -> int:
    """How many examples have the same input as an earlier one.

    Args:
        examples: N.

    Returns:
        The number.
    """
    return sum(count - 1 for count in Counter(contents(examples)).values())
