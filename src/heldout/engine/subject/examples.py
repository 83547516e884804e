"""Examples: inputs with labels, from any of the forms in which people hold them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.data import DataLoader, Dataset, default_collate

from heldout.engine.population import Inputs, inputs_at
from heldout.records import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """N inputs with their labels, in memory.

    Attributes:
        x: Inputs, leaves ``[N, ...]``, or ``[M, N, ...]`` where ``x_per_member``.
        y: Labels ``[N]`` or targets ``[N, ...]``; with a leading axis M where ``y_per_member``.
        x_per_member: Whether every network has inputs of its own.
        y_per_member: Whether every network has labels of its own.
    """

    x: Inputs
    y: Tensor
    x_per_member: bool = False
    y_per_member: bool = False

    def __len__(self) -> int:
        """The number of examples N."""
        return int(self.y.shape[1 if self.y_per_member else 0])

    def take(self, index: Tensor | slice) -> "Examples":
        """Some of the examples.

        Args:
            index: Which.

        Returns:
            The same kind of examples, fewer of them.
        """
        return Examples(
            inputs_at(self.x, index, per_member=self.x_per_member),
            self.y[:, index] if self.y_per_member else self.y[index],
            self.x_per_member,
            self.y_per_member,
        )

    def labels(self, members: int) -> Tensor:
        """Labels of every member.

        Args:
            members: M.

        Returns:
            ``[M, N, ...]``, a view where the members share them.
        """
        return self.y if self.y_per_member else self.y.unsqueeze(0).expand(members, *self.y.shape)


def as_examples(data: Any, argument: str) -> Examples:
    """Examples from a pair of arrays or tensors, a Dataset, or a DataLoader.

    Args:
        data: ``(x, y)``; an :class:`Examples`; a map-style ``Dataset`` or a ``DataLoader`` of pairs.
        argument: The argument's name, for the sentence if it is refused.

    Returns:
        The examples on the CPU, or where the user's tensors are.

    Raises:
        Refusal: If the form is none of these.
    """
    if isinstance(data, Examples):
        return data
    if isinstance(data, DataLoader):
        batches = [_pair(batch, argument) for batch in data]
        if not batches:
            raise Refusal(given=f"{argument} was an empty DataLoader", expected="at least one example", do="pass data")
        x = tree_map(
            lambda *leaves: torch.cat([_tensor(leaf, argument) for leaf in leaves]), *[pair[0] for pair in batches]
        )
        return Examples(x, torch.cat([_tensor(pair[1], argument) for pair in batches]))
    if isinstance(data, Dataset):
        count = len(data)  # type: ignore[arg-type]
        if count == 0:
            raise Refusal(given=f"{argument} was an empty Dataset", expected="at least one example", do="pass data")
        x, y = _pair(default_collate([data[index] for index in range(count)]), argument)
        return Examples(x, _tensor(y, argument))
    x, y = _pair(data, argument)
    if isinstance(x, list) and not any(isinstance(entry, (Tensor, np.ndarray)) for entry in x):
        x = _tensor(x, argument)  # rows of plain numbers, not several inputs
    inputs = tree_map(lambda leaf: _tensor(leaf, argument), x, is_leaf=lambda leaf: isinstance(leaf, np.ndarray))
    return Examples(inputs, _tensor(y, argument))


def with_class_numbers(examples: Examples) -> Examples:
    """Labels that are whole numbers in any type, as int64.

    Args:
        examples: Of a classification.

    Returns:
        The same examples; labels with fractions are left as they are, to be refused.
    """
    y = examples.y
    whole = not y.is_floating_point() or bool((y == y.round()).all())
    return replace(examples, y=y.long()) if whole else examples


def _pair(data: Any, argument: str) -> tuple[Any, Any]:
    if isinstance(data, (tuple, list)) and len(data) == 2:
        return data[0], data[1]
    if isinstance(data, dict) and set(data) == {"x", "y"}:
        return data["x"], data["y"]
    if isinstance(data, dict) and "labels" in data and len(data) > 1:
        return {key: value for key, value in data.items() if key != "labels"}, data["labels"]
    raise Refusal(
        given=f"{argument} was a {type(data).__name__}" + (f" of {len(data)}" if hasattr(data, "__len__") else ""),
        expected="a pair (x, y), a Dataset or a DataLoader of pairs",
        do=f"pass {argument}=(x, y)",
    )


def _tensor(leaf: Any, argument: str) -> Tensor:
    if isinstance(leaf, Tensor):
        return leaf.detach()
    try:
        array = np.asarray(leaf)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"numbers of kind {array.dtype}")
        return torch.as_tensor(array if array.dtype.kind != "u" or array.itemsize == 1 else array.astype(np.int64))
    except (TypeError, ValueError) as error:
        raise Refusal(
            given=f"{argument} held {type(leaf).__name__} ({error})",
            expected="arrays or tensors of numbers",
            do="convert it to a NumPy array or a tensor first",
        ) from None


def count_of(inputs: Inputs, per_member: bool) -> set[int]:
    """The lengths of the leaves; more than one means that they disagree.

    Args:
        inputs: Any accepted form.
        per_member: Whether the leaves lead with the members.

    Returns:
        The distinct lengths; -1 for a leaf without the axis.
    """
    axis = 1 if per_member else 0
    return {int(leaf.shape[axis]) if leaf.ndim > axis else -1 for leaf in tree_leaves(inputs)}
