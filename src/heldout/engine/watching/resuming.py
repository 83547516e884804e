"""A training that was killed and goes on: the run it continues, and what that run had read."""

import json
from typing import Any

from heldout.engine.store import Store
from heldout.engine.store.store import RUN
from heldout.engine.store.trajectories import read_trajectory
from heldout.engine.watching.rows import Row, rows_from
from heldout.records import Refusal

NEWEST = 200  # runs that are looked through
SECOND = len("20260131T235959Z")  # of a run's name


def unfinished(store: Store, name: str) -> str:
    """The newest watched run of a name, if it never ended.

    Args:
        store: Where.
        name: Of the watch.

    Returns:
        The run; empty if there is none, or it ended.
    """
    folder = f"{store.path}/trajectories"
    store.files.invalidate_cache()
    if not name or not store.files.exists(folder):
        return ""
    runs = sorted(str(path).rpartition("/")[2] for path in store.files.ls(folder, detail=False))
    continues: dict[str, str] = {}
    for run in [run for run in runs if RUN.fullmatch(run)][: -NEWEST - 1 : -1]:
        if any(run[:SECOND] != other[:SECOND] for other in continues):
            break
        about = about_of(store, run)
        if about.get("kind") == "watch" and about.get("name") == name:
            continues[run] = str(about.get("continues") or "")
    # names tell seconds apart, and of two runs of one second the last is the one that no other continues
    last = next((run for run in continues if run not in continues.values()), "")
    return "" if not last or store.files.exists(f"{folder}/{last}/final.json") else last


def about_of(store: Store, run: str) -> dict[str, Any]:
    """What was said of a run at its beginning.

    Args:
        store: Where.
        run: Its name.

    Returns:
        Plain values; empty if it cannot be read.
    """
    try:
        about = json.loads(store.files.cat_file(f"{store.path}/trajectories/{run}/about.json"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def rows_before(store: Store, run: str, step: int) -> list[Row]:
    """What a run and those that it continued had read up to a step; what was read after it is not part of this training.

    Args:
        store: Where.
        run: The last of them; empty for none.
        step: The step at which training goes on.

    Returns:
        Rows in the order of steps.
    """
    rows: list[Row] = []
    seen: set[str] = set()
    while run and run not in seen:
        seen.add(run)
        try:
            table = read_trajectory(store, run)
        except Refusal:  # it had read nothing
            table = None
        if table is not None:
            rows = [row for row in rows_from(table.to_dict("records")) if row.step <= step] + rows
        about = about_of(store, run)
        run, step = str(about.get("continues") or ""), min(step, int(about.get("start") or 0))
    return rows
