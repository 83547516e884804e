"""What the writer keeps: all of it, within half a second, whatever happens to the disk or to the process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from heldout.engine.store import Store, trajectories
from heldout.engine.store.segments import publish
from heldout.engine.store.trajectories import read_trajectory, trajectory_runs
from heldout.engine.watching import keeping
from heldout.engine.watching.keeping import Keeper
from heldout.engine.watching.resuming import unfinished
from heldout.engine.watching.rows import Row
from heldout.records import Refusal

KILLED = """
import sys, time
from heldout.engine.watching.keeping import Keeper
from heldout.engine.watching.rows import Row
keeper = Keeper(sys.argv[1], {"kind": "watch", "name": "killed"})
for step in range(100_000):
    keeper.add([Row.of(step, time.time(), {"name": "loss", "value": 1.0})])
    time.sleep(0.002)
    if step % 50 == 0:
        print(time.time(), flush=True)
"""


def rows(*steps: int) -> list[Row]:
    return [Row.of(step, 0.0, {"name": "loss", "value": float(step)}) for step in steps]


def test_a_hundred_readings_a_second_and_none_lost(tmp_path: Path) -> None:
    keeper = Keeper(str(tmp_path), {"kind": "watch"})
    for step in range(120):
        keeper.add(rows(step))
        time.sleep(0.01)
    keeper.finish({"outcome": "finished"})
    table = read_trajectory(keeper.store, keeper.run)
    assert table.step.tolist() == list(range(120))
    assert table.value.tolist() == list(range(120))
    segments = sorted((tmp_path / "trajectories" / keeper.run).glob("*.parquet"))
    assert 2 <= len(segments) <= 5  # at most twice a second, and one at the end
    assert segments[-1].stem == f"{119:012d}"


def test_a_segment_is_never_written_over(tmp_path: Path) -> None:
    keeper = Keeper(str(tmp_path), {"kind": "watch"})
    keeper.add(rows(5))
    while not list(tmp_path.rglob("*.parquet")):
        time.sleep(0.005)
    keeper.add(rows(5))  # the same step once more
    keeper.finish({})
    assert read_trajectory(keeper.store, keeper.run).step.tolist() == [5, 5]


def test_a_disk_that_refuses_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals: list[int] = []
    real = trajectories.keep_segment

    def full(*given: Any) -> None:
        if len(refusals) < 2:
            refusals.append(1)
            raise OSError(28, "No space left on device")
        real(*given)

    monkeypatch.setattr(keeping, "keep_segment", full)
    monkeypatch.setattr(keeping, "RETRIES", 0.05)
    keeper = Keeper(str(tmp_path), {"kind": "watch"})
    keeper.add(rows(1, 2))
    keeper.add(rows(3))
    while not list(tmp_path.rglob("*.parquet")):
        time.sleep(0.005)
    keeper.finish({})
    assert "No space left on device" in keeper.fault
    assert read_trajectory(keeper.store, keeper.run).step.tolist() == [1, 2, 3]


def test_a_process_that_is_killed_leaves_all_but_half_a_second(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    begun = float(child.stdout.readline())
    while float(child.stdout.readline()) < begun + 1.3:
        pass
    os.kill(child.pid, signal.SIGKILL)
    died = time.time()
    child.wait()
    child.stdout.close()
    store = Store(str(tmp_path))
    run = trajectory_runs(store)[0]
    table = read_trajectory(store, run["run"])
    assert table.step.tolist() == list(range(len(table)))
    assert table.seconds.max() > died - 0.5 - 0.4  # the writer's half second, and a slow machine
    assert not run["finished"]
    assert unfinished(store, "killed") == run["run"]
    assert unfinished(store, "another") == ""


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="store was"):
        Keeper(str(tmp_path / "file" / "store"), {})


@pytest.mark.parametrize("killed", ["20260131T235959Z-aaaaaaaaaaaa", "20260131T235959Z-bbbbbbbbbbbb"])
def test_of_two_runs_of_one_second_the_last_is_the_one_that_none_continues(killed: str) -> None:
    store = Store(f"memory://{killed}")
    (second,) = {"20260131T235959Z-aaaaaaaaaaaa", "20260131T235959Z-bbbbbbbbbbbb"} - {killed}
    for run, continues in ((killed, None), (second, killed)):
        about = {"kind": "watch", "name": "mine", "continues": continues}
        publish(store.files, f"{store.path}/trajectories/{run}/about.json", json.dumps(about).encode())
    assert unfinished(store, "mine") == second
    publish(store.files, f"{store.path}/trajectories/{second}/final.json", b"{}")
    assert unfinished(store, "mine") == ""
