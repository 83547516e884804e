"""A bucket carried out: planned, trained, written; the same bytes whoever does it and however often it is begun."""

import contextlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas
import torch
from safetensors.torch import save
from torch import nn

from heldout._version import __version__
from heldout.engine.population import Population
from heldout.engine.store import Store
from heldout.engine.store.segments import publish, publish_first
from heldout.engine.subject.losses import loss_named
from heldout.engine.sweeping.grids import Bucket
from heldout.engine.sweeping.identities import described
from heldout.engine.sweeping.leases import taken
from heldout.engine.training import Plan
from heldout.engine.training.batches import Batches
from heldout.engine.training.choosing import chosen_plan
from heldout.engine.training.fit import prepared
from heldout.engine.trajectories import train
from heldout.records import Refusal


@dataclass(frozen=True)
class Work:
    """What all buckets of a sweep share.

    Attributes:
        network: The factory.
        data: Training data.
        test: Data that the networks do not see, or none.
        record: Measures that are read.
        every: When.
        seed: Of everything random.
        plan: How buckets are carried out; None to choose for each.
        memory: For each bucket's stacks.
    """

    network: Callable[..., nn.Module]
    data: Any
    test: Any
    record: tuple[str, ...]
    every: Any
    seed: int
    plan: Plan | None
    memory: int | str | None


def folder_of(store: Store, name: str) -> str:
    """Where a bucket stands.

    Args:
        store: Of the sweep.
        name: The bucket's address.

    Returns:
        Its folder.
    """
    return f"{store.path}/buckets/{name}"


def done(store: Store, name: str) -> bool:
    """Whether a bucket is finished.

    Args:
        store: Of the sweep.
        name: The bucket's address.

    Returns:
        Whether its rows are there.
    """
    store.files.invalidate_cache()
    return bool(store.files.exists(f"{folder_of(store, name)}/rows.parquet"))


def read_rows(store: Store, name: str) -> pandas.DataFrame:
    """The rows of a finished bucket.

    Args:
        store: Of the sweep.
        name: The bucket's address.

    Returns:
        One row a member, recorded step and reading.
    """
    return pandas.read_parquet(io.BytesIO(store.files.cat_file(f"{folder_of(store, name)}/rows.parquet")))


def tidy(store: Store, name: str) -> None:
    """Take away what killed writers left in a finished bucket.

    Args:
        store: Of the sweep.
        name: The bucket's address.
    """
    folder = folder_of(store, name)
    if taken(store, folder):
        return
    for path in store.files.ls(folder, detail=False):
        if str(path).rpartition("/")[2].startswith("."):
            with contextlib.suppress(FileNotFoundError):
                store.files.rm_file(path)


def carry_out(store: Store, name: str, bucket: Bucket, work: Work) -> None:
    """Train a bucket and write it; rows last.

    Args:
        store: Of the sweep.
        name: The bucket's address.
        bucket: Its members.
        work: What all buckets share.
    """
    folder = folder_of(store, name)
    population = initial_of(bucket, work)
    plan = recorded_plan(store, folder, bucket, work, population)
    trajectory = train(
        population, work.data, bucket.recipe, test=work.test, record=work.record, every=work.every, seed=work.seed,
        numbers=bucket.numbers, plan=plan,
    )  # fmt: skip
    tensors = {**trajectory.final.parameters, **trajectory.final.buffers}
    whole = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in sorted(tensors.items())}
    publish(store.files, f"{folder}/weights.safetensors", save(whole))
    rows = table_of(bucket, trajectory.rows, trajectory.step, trajectory.reason, name)
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    publish(store.files, f"{folder}/rows.parquet", buffer.getvalue())


def initial_of(bucket: Bucket, work: Work) -> Population:
    """The bucket's networks before training.

    Args:
        bucket: Its members.
        work: Says factory and seed.

    Returns:
        The population; members of one number are equal.
    """
    return Population.of(
        lambda: work.network(**bucket.arguments), len(bucket.numbers), seed=work.seed, numbers=bucket.numbers
    )


def check_bucket(bucket: Bucket, work: Work) -> None:
    """Refuse a bucket that could not be trained; one member is made and tried.

    Args:
        bucket: Its members.
        work: What all buckets share.

    Raises:
        Refusal: If the factory fails, or networks, data and recipe do not fit each other.
    """
    some = bucket
    if not any(piece.tensors() for piece in bucket.recipe.interventions):  # these hold something for every member
        some = replace(
            bucket, recipe=bucket.recipe.for_members([0]), numbers=bucket.numbers[:1], settings=bucket.settings[:1]
        )
    try:
        population = initial_of(some, work)
    except Refusal:
        raise
    except Exception as error:  # a stranger's factory may raise anything
        said = ", ".join(f"{name}={value!r}" for name, value in bucket.arguments.items()) or "no arguments"
        raise Refusal(
            given=f"the network could not be made with {said} ({(str(error).splitlines() or [type(error).__name__])[0]})",
            expected="a factory that takes the grid's fields, one value of a list at a time",
            do="pass what it needs in the grid, lists for what is to be crossed",
        ) from error
    prepared(population, work.data, some.recipe, work.seed, some.numbers)


def recorded_plan(store: Store, folder: str, bucket: Bucket, work: Work, population: Population) -> Plan:
    """The bucket's plan: what was recorded, or chosen now and recorded before anything is trained.

    Args:
        store: Of the sweep.
        folder: Of the bucket.
        bucket: Its members.
        work: What all buckets share.
        population: Its networks.

    Returns:
        The plan that stands in the store, whoever wrote it first.
    """
    path = f"{folder}/plan.json"
    if not store.files.exists(path):
        plan = work.plan
        if plan is None:
            examples, loss = prepared(population, work.data, bucket.recipe, work.seed, bucket.numbers)
            batches = Batches.of(bucket.recipe, len(examples), work.seed)
            loss = loss_named(loss, examples.y)
            plan = chosen_plan(
                population, examples, loss, bucket.recipe, batches, work.seed, bucket.numbers, memory=work.memory
            )
        content = {
            "heldout": __version__,
            "torch": torch.__version__,
            "arguments": dict(bucket.arguments),
            "recipe": described(bucket.recipe),
            "members": [dict(settings) for settings in bucket.settings],
            "plan": asdict(plan),
        }
        publish_first(store.files, path, json.dumps(content, sort_keys=True, indent=1, default=repr).encode())
    return Plan(**json.loads(store.files.cat_file(path))["plan"])


def table_of(
    bucket: Bucket, rows: Sequence[Mapping[str, Any]], step: Sequence[int], reason: Sequence[str], name: str
) -> pandas.DataFrame:
    """Rows of a bucket: the members' settings beside their readings.

    Args:
        bucket: Its members.
        rows: Readings.
        step: At which each member stopped.
        reason: Why.
        name: The bucket's address.

    Returns:
        One row a member, recorded step and reading; one alone for a member without readings.
    """
    fates = [{"stopped": int(at), "stopped_for": why, "bucket": name} for at, why in zip(step, reason, strict=True)]
    read = [{**_columns(bucket.settings[row["member"]]), **row, **fates[row["member"]]} for row in rows]
    silent = set(range(len(step))) - {row["member"] for row in rows}
    read += [{**_columns(bucket.settings[member]), "member": member, **fates[member]} for member in sorted(silent)]
    return pandas.DataFrame(read)


def _columns(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"hp.{key}" if key != "seed" else key: value if isinstance(value, str | int | float | bool) else repr(value)
        for key, value in settings.items()
    }
