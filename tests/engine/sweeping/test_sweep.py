"""Sweeps: their rows, their addresses, and what happens to them when they are killed, shared, or their disk is full."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine.sweeping.work import GRID, X, Y, network, run
from torch.utils.data import DataLoader, TensorDataset

import heldout
from heldout.engine.store import Store
from heldout.engine.sweeping import buckets, sweep
from heldout.engine.sweeping.grids import buckets_of
from heldout.engine.training import Plan, Recipe
from heldout.records import Refusal

ROOT = Path(__file__).parents[3]


def contents(store: Path) -> dict[str, str]:
    """Every file of a store with a hash of its bytes."""
    return {
        str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def program(store: Path, slow: str = "0.02") -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "SLOW": slow, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", "tests.engine.sweeping.work", str(store)], cwd=ROOT, env=environment)


def test_members_that_differ_in_numbers_only_share_a_bucket() -> None:
    cut = buckets_of(GRID, network, Recipe(), 2)
    assert len(cut) == 6  # three widths, two batch sizes
    assert all(len(bucket.numbers) == 8 for bucket in cut)
    assert cut[0].arguments == {"width": 3}
    assert cut[0].recipe.batch_size == 20
    assert cut[0].recipe.lr == (0.05,) * 4 + (0.5,) * 4
    assert cut[0].recipe.weight_decay == (0.0, 0.0, 0.01, 0.01) * 2
    assert cut[0].numbers == (0, 1) * 4
    assert [len(bucket.numbers) for bucket in buckets_of(GRID, network, Recipe(), 2, most=3)][:3] == [3, 3, 2]


def test_rows_say_settings_readings_and_fate_and_each_member_is_what_it_is_alone(tmp_path: Path) -> None:
    result = run(str(tmp_path))
    assert len(result.rows) == 6 * 8 * 3 * 2
    assert {"hp.width", "hp.lr", "seed", "member", "step", "name", "value", "stopped", "stopped_for"} <= set(
        result.rows
    )
    some = result.rows[
        (result.rows["hp.width"] == 5) & (result.rows["hp.lr"] == 0.5) & (result.rows["hp.weight_decay"] == 0.01)
        & (result.rows["hp.batch_size"] == 30) & (result.rows.seed == 1) & (result.rows.step == 30)
    ].set_index("name")  # fmt: skip
    alone = heldout.train(
        heldout.Population.of(lambda: network(5), 1, numbers=[1]), (X, Y),
        Recipe(lr=0.5, weight_decay=0.01, batch_size=30, steps=30), test=(X[:10], Y[:10]),
        record=("train-loss", "test-accuracy"), every=15, numbers=[1], plan=Plan(1),
    )  # fmt: skip
    for name in ("train-loss", "test-accuracy"):
        assert some.value[name] == pytest.approx(alone[name].loc[30, 0], abs=1e-5)
    place = [bucket.arguments["width"] for bucket in result.buckets].index(5)
    outputs = result.population(place)(X)
    assert outputs.shape == (8, 60, 2)
    assert not torch.equal(outputs[0], outputs[1])


def test_what_is_there_is_not_trained_again_and_another_setting_is(tmp_path: Path) -> None:
    run(str(tmp_path))
    before = contents(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    run(str(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == times
    run(str(tmp_path), recipe=Recipe(steps=31, check_every=10))
    assert set(before) < set(contents(tmp_path))
    assert not list(tmp_path.rglob(".*"))


def killed_and_taken_up(tmp_path: Path, kills: int) -> None:
    run(str(tmp_path / "whole"))
    draw, died = random.Random(0), 0
    store = tmp_path / "killed"
    for _ in range(kills):
        process = program(store)
        end = time.monotonic() + 60
        while not (store / "buckets").exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.6))
        died += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert died > 0
    assert program(store, slow="0").wait(timeout=120) == 0
    assert contents(store) == contents(tmp_path / "whole")


def test_a_killed_sweep_taken_up_ends_with_the_same_store(tmp_path: Path) -> None:
    killed_and_taken_up(tmp_path, kills=3)


@pytest.mark.slow
def test_a_sweep_killed_at_twenty_random_moments_ends_with_the_same_store(tmp_path: Path) -> None:
    killed_and_taken_up(tmp_path, kills=20)


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    run(str(tmp_path / "whole"))
    both = [program(tmp_path / "shared", slow="0.05") for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert contents(tmp_path / "shared") == contents(tmp_path / "whole")


def test_a_plan_that_was_recorded_is_kept_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(str(tmp_path / "one"))
    for rows in (tmp_path / "one" / "buckets").glob("*/rows.parquet"):
        rows.unlink()  # as if it had been killed before
    before = {path: path.read_bytes() for path in (tmp_path / "one").rglob("weights.safetensors")}
    used: list[Any] = []
    inner = buckets.train
    monkeypatch.setattr(buckets, "train", lambda *a, **k: used.append(k["plan"]) or inner(*a, **k))
    run(str(tmp_path / "one"), plan=Plan(1, mapped=False))
    assert set(used) == {Plan(4, workers=1)}
    assert {path: path.read_bytes() for path in (tmp_path / "one").rglob("weights.safetensors")} == before


def test_a_member_that_diverges_is_marked_and_the_sweep_goes_on(tmp_path: Path) -> None:
    targets = X[:, :2].clone()
    result = sweep(
        {"lr": [0.01, 1e25]}, network, (X, targets), Recipe(loss="squared-error", momentum=0.0, steps=20, batch_size=20),
        store=str(tmp_path), record=("train-loss",), every=[20],
    )  # fmt: skip
    fate = result.rows.set_index("hp.lr")
    assert fate.stopped_for.tolist() == ["steps", "not finite"]
    assert fate.value.notna().tolist() == [True, False]


def test_a_full_disk_is_said_in_a_sentence_and_what_was_finished_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, count = buckets.publish, [0]

    def publish(files: Any, path: str, content: bytes) -> None:
        count[0] += path.endswith("rows.parquet")
        if count[0] > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        inner(files, path, content)

    monkeypatch.setattr(buckets, "publish", publish)
    with pytest.raises(Refusal, match="No space left on device"):
        run(str(tmp_path))
    assert len(list(tmp_path.rglob("rows.parquet"))) == 2
    monkeypatch.undo()
    assert len(run(str(tmp_path)).rows) == 6 * 8 * 3 * 2


@pytest.mark.parametrize(
    ("grid", "changes", "said"),
    [
        ({"widht": [3]}, {}, "did you mean 'width'"),
        ({"lr": []}, {}, "no values"),
        ({"lr": [-1.0]}, {}, "lr was"),
        ({"batch_size": [100]}, {}, "batch_size was 100"),
        ({}, {"seeds": 0}, "seeds"),
        ({}, {"executor": "slurm"}, "executor"),
        ({}, {"executor": "ray://127.0.0.1:9"}, "ray://127.0.0.1:9"),
        ({}, {"record": ("train-los",)}, "train-los"),
        ({}, {"every": "now"}, "every"),
        ({}, {"record": "train-loss"}, "record was 'train-loss'"),
        ({}, {"bucket_members": 0}, "bucket_members"),
        ({}, {"seed": "a"}, "seed was 'a'"),
        ({}, {"plan": "fast"}, "plan was a str"),
        ({}, {"recipe": Recipe(lr=[0.1, 0.2])}, "lr of the recipe"),
        ({}, {"recipe": {"lr": 0.1}}, "recipe was a dict"),
        ({"width": [3, "wide"]}, {}, "could not be made with width='wide'"),
        ({"width": (3, 4)}, {}, "could not be made with width="),
        ([("lr", 0.1)], {}, "grid was a list"),
        ({"lr": [0.1]}, {"network": network(3)}, "network was a Sequential"),
        (
            {"dropout": [0.1]},
            {"network": lambda dropout=0.1: network(3)},
            "'dropout' is a parameter of the network and",
        ),
        ({"lr": [0.1]}, {"data": (X, Y + 1)}, "data y has labels from 1 to 2"),
        ({"lr": [0.1]}, {"data": (X[:, :2], Y)}, "data x of shape"),
    ],
)
def test_bad_input_is_refused_before_anything_is_trained(
    tmp_path: Path, grid: Any, changes: dict[str, Any], said: str
) -> None:
    settings = {"network": network, "data": (X, Y), "recipe": Recipe(steps=2, batch_size=20), **changes}
    with pytest.raises(Refusal, match=said):
        sweep(grid, store=str(tmp_path / "s"), **settings)
    assert not list(tmp_path.rglob("rows.parquet"))


def test_data_are_read_once_in_the_order_of_that_time(tmp_path: Path) -> None:
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(X, Y), batch_size=20, shuffle=True)
    settings: dict[str, Any] = {"store": str(tmp_path), "record": ("train-accuracy",), "every": [0], "plan": Plan(1)}
    result = sweep({"width": [3, 5]}, network, loader, Recipe(steps=1, batch_size=20), **settings)
    again = sweep({"width": [3, 5]}, network, result.work.data, Recipe(steps=1, batch_size=20), **settings)
    assert again.names == result.names


def test_data_that_numpy_does_not_know_have_an_address(tmp_path: Path) -> None:
    data = (X.bfloat16(), Y)
    settings: dict[str, Any] = {"store": str(tmp_path), "record": (), "plan": Plan(1)}
    names = [
        sweep({}, lambda: network().bfloat16(), each, Recipe(steps=1, batch_size=20), **settings).names
        for each in (data, data, (-data[0], Y))
    ]
    assert names[0] == names[1] != names[2]


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"store": 99, "heldout": "9"}', encoding="utf-8")
    with pytest.raises(Refusal, match="layout 99"):
        run(str(tmp_path))


def test_a_store_elsewhere_than_on_disk(tmp_path: Path) -> None:
    here = run(str(tmp_path))
    there = run("memory://a-sweep")
    assert there.names == here.names
    assert Store("memory://a-sweep").exists
    assert here.rows.equals(there.rows)
