"""Populations that can be judged: a sweep in hand or in a store, and those that have a name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._pytree import tree_map

from heldout.atlas import atlas_table
from heldout.engine.subject import Examples, Subject, as_examples
from heldout.engine.sweeping import Sweep
from heldout.engine.sweeping.buckets import initial_of
from heldout.engine.training import members_of
from heldout.engine.training.batches import Batches
from heldout.engine.training.fit import prepared
from heldout.engine.trajectories.recording import examples_of
from heldout.records import Refusal
from heldout.verbs.atlas_networks import atlas_networks
from heldout.verbs.population_ledger import Networks

if TYPE_CHECKING:
    import pandas

#: Tables that ship with heldout, and their networks, trained again when they are asked for.
NAMED: Mapping[str, tuple[Callable[[], "pandas.DataFrame"], Callable[[], Sequence[Callable[[], Networks | None]]]]] = {
    "atlas": (atlas_table, atlas_networks)
}


def named_ledger(name: str) -> "pandas.DataFrame":
    """A table of networks that ships with heldout.

    Args:
        name: One of :data:`NAMED`.

    Returns:
        A ledger.
    """
    return NAMED[name][0]()


def named_networks(name: str) -> Sequence[Callable[[], Networks | None]]:
    """The networks of a table that ships with heldout, trained again.

    Args:
        name: One of :data:`NAMED`.

    Returns:
        Buckets, each trained when it is asked for.
    """
    return NAMED[name][1]()


def networks_of(sweep: Sweep, shift: Any = None) -> list[Callable[[], Networks | None]]:
    """The networks of a sweep, bucket by bucket.

    Args:
        sweep: It must have been made with test data.
        shift: Data from elsewhere; None for none.

    Returns:
        A function for each bucket.

    Raises:
        Refusal: If the sweep has no test data.
    """
    if sweep.work.test is None:
        raise Refusal(
            given="the sweep was made without test data",
            expected="data that the networks did not see, to know what there was to predict",
            do="make it with heldout.sweep(..., test=(x, y))",
        )
    unseen = None if shift is None else as_examples(shift, "shift")
    return [lambda place=place: _bucket(sweep, place, unseen) for place in range(len(sweep.names))]  # type: ignore[misc]


def _bucket(sweep: Sweep, place: int, shift: Examples | None) -> Networks | None:
    bucket, work = sweep.buckets[place], sweep.work
    initial, final = initial_of(bucket, work), sweep.population(place)
    examples, loss = prepared(initial, work.data, bucket.recipe, work.seed, bucket.numbers)
    examples = seen(examples, Batches.of(bucket.recipe, len(examples), work.seed), bucket.numbers)
    finite = torch.stack([torch.isfinite(tensor).flatten(1).all(1) for tensor in final.parameters.values()]).all(0)
    alive = torch.nonzero(finite).flatten().tolist()  # what diverged has nothing to measure
    if not alive:
        return None
    own = examples_of(examples, alive)
    subject = Subject(members_of(final, alive), own, loss=loss, initial=members_of(initial, alive))
    settings = tuple(bucket.settings[member] for member in alive)
    return Networks(sweep.names[place], settings, subject, work.test, shift)


def seen(examples: Examples, batches: Batches, numbers: Sequence[int]) -> Examples:
    """The training examples that each member saw.

    Args:
        examples: All of them.
        batches: Says which.
        numbers: The members' numbers.

    Returns:
        The same examples where everybody saw all; otherwise each member's own.
    """
    if batches.subset == batches.total:
        return examples
    chosen = torch.stack([batches.seen(number) for number in numbers])

    def own(leaf: torch.Tensor, per_member: bool) -> torch.Tensor:
        return torch.stack([(leaf[place] if per_member else leaf)[index] for place, index in enumerate(chosen)])

    x = tree_map(lambda leaf: own(leaf, examples.x_per_member), examples.x)
    return replace(examples, x=x, y=own(examples.y, examples.y_per_member), x_per_member=True, y_per_member=True)
