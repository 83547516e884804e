"""Trajectories in the store: step by step, whole, and left behind by a killed process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import heldout
from heldout.engine.store import Store
from heldout.engine.store.trajectories import read_trajectory, trajectory_runs
from heldout.engine.trajectories import Trajectory
from heldout.records import Refusal

X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
Y = (X.sum(1) > 0).long()


def trained(folder: Path, **changes: object) -> Trajectory:
    population = heldout.Population.of(lambda: nn.Linear(4, 2), members=3, seed=0)
    return heldout.train(
        population, (X, Y), heldout.Recipe(lr=0.1, batch_size=20, steps=20), every=5, seed=4,
        record=("train-loss", "weights"), store=str(folder), **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def test_what_was_read_and_what_came_of_it_is_in_the_store(tmp_path: Path) -> None:
    trajectory = trained(tmp_path / "runs")
    store = Store(str(tmp_path / "runs"))
    rows = read_trajectory(store, trajectory.run)
    assert rows.to_dict("records") == trajectory.to_pandas().to_dict("records")
    (row,) = trajectory_runs(store)
    assert (row["run"], row["recorded"], row["finished"], row["seed"]) == (trajectory.run, 20, True, 4)
    folder = tmp_path / "runs" / "trajectories" / trajectory.run
    for name, tensor in load_file(folder / "final.safetensors").items():
        assert torch.equal(tensor, trajectory.final.parameters[name])
    for name, tensor in load_file(folder / "000000000010.safetensors").items():
        assert torch.equal(tensor, trajectory.weights[10].parameters[name])
    assert not list(folder.glob(".*"))


def test_without_a_store_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    population = heldout.Population.of(lambda: nn.Linear(4, 2), members=1, seed=0)
    assert heldout.train(population, (X, Y), heldout.Recipe(steps=2, batch_size=20)).run == ""
    assert list(tmp_path.iterdir()) == []


def test_the_store_changes_no_training(tmp_path: Path) -> None:
    plain = heldout.train(
        heldout.Population.of(lambda: nn.Linear(4, 2), members=3, seed=0), (X, Y),
        heldout.Recipe(lr=0.1, batch_size=20, steps=20), every=5, seed=4, record=("train-loss",),
    )  # fmt: skip
    assert torch.equal(trained(tmp_path).final.parameters["weight"], plain.final.parameters["weight"])


def test_a_killed_training_leaves_what_it_had_read(tmp_path: Path) -> None:
    code = (
        "import heldout, torch\nfrom torch import nn\n"
        "x = torch.randn(60, 4); y = (x.sum(1) > 0).long()\n"
        "heldout.train(heldout.Population.of(lambda: nn.Linear(4, 2), 2, seed=0), (x, y),\n"
        f"  heldout.Recipe(batch_size=20, steps=20000), every=20, store={str(tmp_path)!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store, deadline = Store(str(tmp_path)), time.monotonic() + 180
    try:
        while not any((row["recorded"] or 0) >= 40 for row in trajectory_runs(store)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (row,) = trajectory_runs(store)
    rows = read_trajectory(store, row["run"])
    assert not row["finished"]
    assert rows.step.max() == row["recorded"]
    assert set(rows[rows.step == 40].name) == {"train-loss", "train-accuracy"}


def test_names_that_are_no_run_are_refused(tmp_path: Path) -> None:
    for name in ("../..", "20260101T000000Z-0123456789ab"):
        with pytest.raises(Refusal, match="no trajectory"):
            read_trajectory(Store(str(tmp_path)), name)
    assert trajectory_runs(Store(str(tmp_path / "none"))) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="store"):
        trained(tmp_path / "file")


def test_a_training_that_has_not_said_what_it_is_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "trajectories" / "20260131T235959Z-0123456789ab").mkdir(parents=True)
    assert trajectory_runs(Store(str(tmp_path))) == []
