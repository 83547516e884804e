"""A finished sweep read back from its store: networks, hyper-parameters, seeds, data."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas
from torch import nn

from heldout.engine.store import Store
from heldout.engine.store.segments import listed
from heldout.engine.subject import Examples
from heldout.engine.subject.factories import imported
from heldout.engine.subject.losses import NAMED
from heldout.engine.sweeping.buckets import Work, done, folder_of, read_rows
from heldout.engine.sweeping.grids import Bucket
from heldout.engine.sweeping.identities import digest_of
from heldout.engine.sweeping.keeping import kept_examples, sweeps_of
from heldout.engine.sweeping.sweep import Sweep
from heldout.engine.training import Recipe
from heldout.records import Refusal


def read_sweep(
    place: str, *, network: Callable[..., nn.Module] | str = "", data: Any = None, test: Any = None
) -> Sweep:
    """A sweep that was made in another process.

    Interventions that acted during training are not needed to measure what came out, and are left out of the recipe.

    Args:
        place: Directory or URL of the store; ``STORE#NAME`` where it holds several sweeps.
        network: The factory or ``package.module:factory``, where the store does not know it.
        data: Training data, where the store did not keep them.
        test: Test data, likewise.

    Returns:
        The sweep, with the buckets that are finished.

    Raises:
        Refusal: If the store lacks what was not given, all of it in one sentence; or data are not those of the sweep.
    """
    url, _, name = place.partition("#")
    store = Store(url)
    about = _chosen(store, name)
    held = {
        "data": _examples(store, "the training data", data, about.get("data", "")),
        "test": _examples(store, "the test data", test, about.get("test", "")),
    }
    spec = network or about.get("network", "")
    lacking = [] if spec else ["the network's factory (--network module:factory)"]
    lacking += [] if held["data"] is not None else ["the training data (--train)"]
    lacking += [] if held["test"] is not None else ["the test data (--test)"]
    if lacking:
        raise Refusal(
            given=f"the store '{url}' does not hold {', nor '.join(lacking)}",
            expected="factory, training data and test data of the sweep",
            do="pass what is missing",
        )
    factory = imported(spec, "network") if isinstance(spec, str) else spec
    names = [one for one in about["buckets"] if done(store, one)]
    if not names:
        raise Refusal(
            given=f"no bucket of the sweep in '{url}' is finished",
            expected="trained networks",
            do="run heldout.sweep again with this store: it goes on where it was",
        )
    if len(names) < len(about["buckets"]):
        warnings.warn(f"{len(names)} of {len(about['buckets'])} buckets of the sweep are finished", stacklevel=2)
    seed = int(about.get("seed", 0))
    work = Work(factory, held["data"], held["test"], (), "log", seed, None, None)
    buckets = tuple(_bucket(store, one) for one in names)
    rows = pandas.concat([read_rows(store, one) for one in names], ignore_index=True)
    return Sweep(store, tuple(names), buckets, work, rows)


def _chosen(store: Store, name: str) -> dict[str, Any]:
    """What the store says of its sweep; of a store that an earlier heldout wrote, its buckets."""
    known = sweeps_of(store)
    if name or len(known) > 1:
        found = [one for one in known if name and one.startswith(name)]
        if len(found) != 1:
            several = [f"{store.url}#{one} ({len(about['buckets'])} buckets)" for one, about in known.items()]
            raise Refusal(
                given=f"the store '{store.url}' holds {len(known)} sweeps"
                + (f", and '{name}' names none" if name else ""),
                expected=f"one of {', '.join(several) or 'none, run heldout.sweep first'}",
                do="name it after the store and a #",
            )
        return known[found[0]]
    if known:
        return next(iter(known.values()))
    folder = f"{store.path}/buckets"
    inside = store.files.ls(folder, detail=False) if store.files.exists(folder) else []
    old = sorted(str(path).rpartition("/")[2] for path in inside)
    buckets = [one for one in old if "plan" in listed(store.files, f"{folder}/{one}", ".json")]
    if not buckets:
        raise Refusal(
            given=f"'{store.url}' holds no sweep",
            expected="a store that heldout.sweep wrote",
            do="run heldout.sweep(..., store=...) first, or pass a table with --ledger",
        )
    return {"buckets": buckets}


def _examples(store: Store, words: str, given: Any, digest: str) -> Examples | None:
    from heldout.engine.subject import as_examples

    if given is None:
        return kept_examples(store, digest)
    examples = as_examples(given, words)
    if digest and digest_of(examples) != digest:
        raise Refusal(
            given=f"{words} are not those that the sweep was made with",
            expected="the same examples in the same order",
            do="pass the sweep's own, or leave them to the store",
        )
    return examples


def _bucket(store: Store, name: str) -> Bucket:
    about = json.loads(store.files.cat_file(f"{folder_of(store, name)}/plan.json"))
    settings: Sequence[Mapping[str, Any]] = about["members"]
    return Bucket(
        arguments=about["arguments"],
        recipe=_recipe(about["recipe"], name),
        numbers=tuple(int(one["seed"]) for one in settings),
        settings=tuple(settings),
    )


def _recipe(plain: Mapping[str, Any], name: str) -> Recipe:
    known = {field.name for field in fields(Recipe)}
    if plain["loss"] not in NAMED:
        raise Refusal(
            given=f"bucket {name} was trained with a loss of the user's own, which a store cannot hold",
            expected="a named loss",
            do="judge the Sweep that heldout.sweep returns: heldout.judge(sweep)",
        )
    return Recipe(**{key: value for key, value in plain.items() if key in known and key != "interventions"})
