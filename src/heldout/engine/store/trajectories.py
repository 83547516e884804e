"""Trajectories: a training's readings, written step by step while it goes on."""

import io
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from heldout.engine.store.segments import listed, publish
from heldout.engine.store.store import RUN, Store
from heldout.records import Refusal

if TYPE_CHECKING:
    import pandas


def begin_trajectory(store: Store, about: Mapping[str, Any]) -> str:
    """Say that a training begins.

    Args:
        store: Where.
        about: Recipe, seed, plan and so on, plain values.

    Returns:
        The run's name.
    """
    run = f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-{uuid.uuid4().hex[:12]}"
    store.begin()
    content = json.dumps(about, ensure_ascii=False, sort_keys=True, indent=1, default=repr).encode()
    publish(store.files, f"{_folder(store, run)}/about.json", content)
    return run


def keep_step(store: Store, run: str, step: int, rows: Sequence[Mapping[str, Any]], weights: bytes = b"") -> None:
    """Keep what was read at a step; what is there when a process is killed is whole.

    Args:
        store: Where.
        run: The training's.
        step: Steps taken.
        rows: One a member and reading.
        weights: The population, in safetensors; empty for none.
    """
    import pandas

    buffer = io.BytesIO()
    pandas.DataFrame(list(rows)).to_parquet(buffer, index=False)
    if weights:
        publish(store.files, f"{_folder(store, run)}/{step:012d}.safetensors", weights)
    publish(store.files, f"{_folder(store, run)}/{step:012d}.parquet", buffer.getvalue())


def keep_segment(store: Store, run: str, step: int, content: bytes) -> None:
    """Keep readings of one or several steps of a watched run.

    Args:
        store: Where.
        run: The training's.
        step: The last of them, under which no segment was written yet.
        content: Rows as Parquet.
    """
    publish(store.files, f"{_folder(store, run)}/{step:012d}.parquet", content)


def finish_trajectory(store: Store, run: str, outcome: Mapping[str, Any], weights: bytes = b"") -> None:
    """Keep how a training ended; it is finished when this is there.

    Args:
        store: Where.
        run: The training's.
        outcome: Steps, reasons, seconds.
        weights: The trained population, in safetensors; empty for none.
    """
    if weights:
        publish(store.files, f"{_folder(store, run)}/final.safetensors", weights)
    publish(store.files, f"{_folder(store, run)}/final.json", json.dumps(outcome).encode())


def read_trajectory(store: Store, run: str) -> "pandas.DataFrame":
    """The readings of a training so far; it may be under way, or killed.

    Args:
        store: Where.
        run: Its name.

    Returns:
        One row a member, recorded step and reading, in the order of steps.

    Raises:
        Refusal: If nothing was kept under this name.
    """
    import pandas

    steps = listed(store.files, _folder(store, run), ".parquet") if RUN.fullmatch(run) else []
    if not steps:
        raise Refusal(
            given=f"'{run}' is no trajectory in the store {store.url}",
            expected="the run of a trajectory",
            do="see them with trajectory_runs(store)",
        )
    parts = [
        pandas.read_parquet(io.BytesIO(store.files.cat_file(f"{_folder(store, run)}/{step}.parquet"))) for step in steps
    ]
    return pandas.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def trajectory_runs(store: Store) -> list[dict[str, Any]]:
    """The trainings that are stored, oldest first.

    Args:
        store: Where.

    Returns:
        What was said of each at its beginning, with ``run``, ``recorded`` (its last recorded step, or None) and ``finished``.
    """
    store.files.invalidate_cache()
    if not store.files.exists(f"{store.path}/trajectories"):
        return []
    names = [str(path).rpartition("/")[2] for path in store.files.ls(f"{store.path}/trajectories", detail=False)]
    rows = []
    for run in sorted(name for name in names if RUN.fullmatch(name)):
        steps = listed(store.files, _folder(store, run), ".parquet")
        try:
            about = json.loads(store.files.cat_file(f"{_folder(store, run)}/about.json"))
        except FileNotFoundError:  # its folder was made a moment ago
            continue
        finished = bool(store.files.exists(f"{_folder(store, run)}/final.json"))
        rows.append({**about, "run": run, "recorded": int(steps[-1]) if steps else None, "finished": finished})
    return rows


def _folder(store: Store, run: str) -> str:
    return f"{store.path}/trajectories/{run}"
