"""The few examples on which a training is watched, taken without disturbing the data that training draws from."""

from typing import Any, NamedTuple

import torch
from torch.utils._pytree import tree_map
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from heldout.engine.population import stream
from heldout.engine.subject import Examples
from heldout.engine.subject.checks import data_faults
from heldout.engine.subject.examples import as_examples
from heldout.engine.watching.isolating import generators_kept, undisturbed
from heldout.records import Refusal, refuse


class Sampled(NamedTuple):
    """Some examples of a data set.

    Attributes:
        examples: They, in memory, copied.
        total: How many the data set has.
    """

    examples: Examples
    total: int

    def first(self, count: int) -> "Sampled":
        """The first few of them, which are as random as all of them.

        Args:
            count: How many.

        Returns:
            They, of the same data set.
        """
        return Sampled(self.examples.take(slice(0, count)), self.total)


def sampled(data: Any, argument: str, most: int, seed: int) -> Sampled:
    """At most so many random examples of a data set.

    A loader's data set is read by index, its sampler and its generator are left alone; what a data set draws from global or its own
    generators is put back. Examples that are augmented at random are watched as they came out this once.

    Args:
        data: ``(x, y)``, :class:`Examples`, a ``Dataset`` or ``DataLoader`` of pairs or of dictionaries with ``labels``, or a
            sequence of these.
        argument: The argument's name, for the sentence if it is refused.
        most: Examples to take.
        seed: Of the choice.

    Returns:
        The examples.

    Raises:
        Refusal: If the data cannot be read by index.

    Example:
        >>> few = sampled((torch.arange(100.0), torch.arange(100)), "train", 10, 0)
        >>> len(few.examples), few.total, bool((few.examples.x == few.examples.y).all())
        (10, 100, True)
    """
    with undisturbed(), generators_kept(data):
        source = data.dataset if isinstance(data, DataLoader) else data
        if isinstance(source, IterableDataset):
            raise Refusal(
                given=f"{argument} was a stream of examples ({type(source).__name__})",
                expected="data that can be read by index",
                do=f"pass a sample of it as {argument}=(x, y)",
            )
        if isinstance(source, Dataset) or _rows(source):
            total = len(source)  # type: ignore[arg-type]
            collate = getattr(data, "collate_fn", None) or default_collate
            rows = [source[place] for place in _places(total, argument, most, seed).tolist()]
            if not rows:
                raise Refusal(given=f"{argument} was empty", expected="at least one example", do="pass data")
            return Sampled(_copied(as_examples(_plain(collate(rows)), argument)), total)
        whole = as_examples(source, argument)
        refuse(data_faults(whole, argument, 1))
        return Sampled(_copied(whole.take(_places(len(whole), argument, most, seed))), len(whole))


def _rows(source: Any) -> bool:
    """Whether it is a sequence of examples rather than a pair of arrays."""
    if isinstance(source, (tuple, dict, Examples)) or not (
        hasattr(source, "__len__") and hasattr(source, "__getitem__")
    ):
        return False
    return len(source) > 0 and isinstance(source[0], (tuple, dict))


def _plain(batch: Any) -> Any:
    """What a collating function made, as an ordinary dictionary where it is one."""
    return dict(batch) if hasattr(batch, "keys") else batch


def _places(total: int, argument: str, most: int, seed: int) -> torch.Tensor:
    return torch.randperm(total, generator=stream(seed, "watched", argument))[:most]


def _copied(examples: Examples) -> Examples:
    x = tree_map(lambda leaf: leaf.detach().clone(), examples.x)
    return Examples(x, examples.y.detach().clone(), examples.x_per_member, examples.y_per_member)
