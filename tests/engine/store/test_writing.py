"""A disk that is full, met by trainings and studies that write as they go."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

import heldout
from heldout.engine.store import cells, results, trajectories
from heldout.records import Refusal

X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
DATA = (X, (X[:, 0] > 0).long())


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_training_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = trajectories.publish

    def publish(files: Any, path: str, content: bytes) -> None:
        if path.endswith(f"{4:012d}.parquet"):
            full()
        inner(files, path, content)

    monkeypatch.setattr(trajectories, "publish", publish)
    with pytest.raises(Refusal, match=r"No space left on device.*readings made so far are kept"):
        heldout.train(torch.nn.Linear(4, 2), DATA, heldout.Recipe(steps=8, batch_size=10), every=4, store=str(tmp_path))
    assert [path.name for path in tmp_path.rglob("*.parquet")] == [f"{0:012d}.parquet"]


def test_a_study_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "publish", full)
    record = heldout.study("double-descent-least-squares", repetitions=20, store=str(tmp_path))
    with pytest.raises(Refusal, match=r"No space left on device.*finished cells are kept"):
        record.save(str(tmp_path))
    monkeypatch.setattr(cells, "publish", full)
    with pytest.raises(Refusal, match=r"No space left on device.*finished cells are kept"):
        heldout.study("double-descent-least-squares", repetitions=21, store=str(tmp_path))
