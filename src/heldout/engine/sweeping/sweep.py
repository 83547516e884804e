"""``heldout.sweep``: a grid of trainings, shared by any number of processes, killed at any moment and taken up again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas
from safetensors.torch import load
from torch import nn

from heldout.engine.population import Population
from heldout.engine.store import Store, address
from heldout.engine.subject import as_examples
from heldout.engine.sweeping.buckets import Work, check_bucket, folder_of, initial_of, read_rows, tidy
from heldout.engine.sweeping.executors import OnBucket, executor_named
from heldout.engine.sweeping.grids import MOST, Bucket, buckets_of, check_kinds
from heldout.engine.sweeping.identities import identity_of, identity_of_bucket
from heldout.engine.sweeping.keeping import keep_sweep
from heldout.engine.training import Plan, Recipe
from heldout.engine.training.checks import check_settings
from heldout.engine.trajectories.recording import measures_named, recorded_steps
from heldout.records import Refusal


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A finished sweep.

    Attributes:
        store: Where its buckets are.
        names: Their addresses, in the grid's order.
        buckets: Their members.
        work: What they share.
        rows: One row a member, recorded step and reading: ``hp.FIELD``, seed, member, step, name, value, ..., stopped,
            stopped_for, bucket.
    """

    store: Store
    names: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    work: Work
    rows: pandas.DataFrame

    def population(self, place: int) -> Population:
        """The trained networks of a bucket.

        Args:
            place: Of the bucket.

        Returns:
            The population.
        """
        initial = initial_of(self.buckets[place], self.work)
        kept = load(self.store.files.cat_file(f"{folder_of(self.store, self.names[place])}/weights.safetensors"))
        return initial.with_tensors(
            {name: kept[name] for name in initial.parameters}, {name: kept[name] for name in initial.buffers}
        )


def sweep(
    grid: Mapping[str, Any],
    network: Callable[..., nn.Module],
    data: Any,
    recipe: Recipe | None = None,
    *,
    store: str,
    test: Any = None,
    seeds: int = 1,
    seed: int = 0,
    record: Sequence[str] = ("train-loss", "train-accuracy"),
    every: str | int | Sequence[int] = "log",
    executor: str = "local",
    plan: Plan | None = None,
    memory: int | str | None = None,
    bucket_members: int = MOST,
    on_bucket: OnBucket | None = None,
) -> Sweep:
    """Train a grid of networks; what the store already holds is not trained again.

    Args:
        grid: Field -> value, or list of values, which are crossed. A field is a parameter of the factory or of the recipe.
        network: Factory of the network.
        data: Training data in any form that a Subject takes.
        recipe: What the grid does not say.
        store: Directory or URL. Several processes may work on one sweep in one store.
        test: Data that the networks do not see, for readings that need them.
        seeds: Members for each cell of the grid.
        seed: Of everything random.
        record: Measures to read.
        every: When: ``"log"``, a number of steps, or a list of steps.
        executor: ``"local"``, ``"ray"`` (a cluster of this machine) or the address of a Ray cluster, ``"ray://..."``.
        plan: How buckets are carried out; chosen for each, and recorded, unless given.
        memory: What the stacks of a bucket may take together, in bytes or as ``"4GiB"``.
        bucket_members: Members of a bucket at most: a killed worker loses the training of no more.
        on_bucket: Called with the number of finished buckets and of all.

    Returns:
        The sweep.

    Raises:
        Refusal: For everything that could be refused, before the first bucket is trained.
    """
    recipe = Recipe() if recipe is None else recipe
    check_kinds(grid, network, recipe)
    check_settings(recipe, seed, None, 1, plan)
    if type(bucket_members) is not int or bucket_members < 1:
        raise Refusal(
            given=f"bucket_members was {bucket_members!r}", expected="a whole number from 1", do=f"pass {MOST}"
        )
    place = Store(store)
    place.check_writable()
    measures_named(record)
    run = executor_named(executor)
    buckets = buckets_of(grid, network, recipe, seeds, most=bucket_members)
    # read once: a DataLoader that shuffles would give every bucket another order, and the sweep another address
    examples, unseen = as_examples(data, "data"), None if test is None else as_examples(test, "test")
    work = Work(network, examples, unseen, tuple(record), every, seed, plan, memory)
    for bucket in buckets:
        recorded_steps(every, bucket.recipe.steps)
        check_bucket(bucket, work)
    base = identity_of(work.network, work.data, work.test, work.record, work.every, work.seed)
    names = [address(bucket=identity_of_bucket(bucket), **base) for bucket in buckets]
    place.begin()
    keep_sweep(place, work.network, (base["data"], examples), (base["test"], unseen), seed, names)
    run(place, dict(zip(names, buckets, strict=True)), work, on_bucket or _silent)
    for name in names:
        tidy(place, name)
    rows = pandas.concat([read_rows(place, name) for name in names], ignore_index=True)
    return Sweep(place, tuple(names), tuple(buckets), work, rows)


def _silent(_finished: int, _all: int) -> None:
    return
