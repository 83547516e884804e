"""Every member its own draw of the data."""

from collections.abc import Callable
from typing import Any

import torch

from heldout.engine.population import stream
from heldout.engine.subject import Examples

Split = tuple[tuple[Any, Any], tuple[Any, Any]]


def own_data(make: Callable[[int], Split], members: int, seed: int) -> tuple[Examples, Examples]:
    """Training and test data of every member, drawn for each.

    Args:
        make: A seed -> ``(train, test)``, pairs of tensors that have the same shapes for every seed.
        members: M.
        seed: Member i's data are drawn from ``(seed, i)``.

    Returns:
        Training and test examples, inputs and labels leading with M.

    Example:
        >>> train, test = own_data(lambda s: ((torch.zeros(3, 2), torch.full((3,), s)),) * 2, members=4, seed=0)
        >>> train.x.shape, len(test), train.y.unique().numel()
        (torch.Size([4, 3, 2]), 3, 4)
    """
    drawn = [make(stream(seed, "data", member).initial_seed() % 2**31) for member in range(members)]
    train, test = (
        Examples(
            torch.stack([split[part][0] for split in drawn]),
            torch.stack([split[part][1] for split in drawn]),
            True,
            True,
        )
        for part in (0, 1)
    )
    return train, test
