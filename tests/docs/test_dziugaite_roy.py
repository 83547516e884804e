"""The experiment of Dziugaite and Roy at a small size: its inequality again, random labels, pictures as they are published."""

import importlib.util
import math
import struct
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from heldout.engine.numerics import binary_kl
from heldout.engine.posteriors import Settings

SCRIPT = Path(__file__).parents[2] / "docs" / "dziugaite_roy.py"
SHORT = Settings(objective="dziugaite-roy", scale=0.05, steps=40, batch_size=128, lr=2e-2, scale_lr=5e-2)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dziugaite_roy", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "dziugaite_roy", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "EVALUATIONS", 20_000)
    return module


def test_the_table_and_the_inequality_behind_it(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    rows = script.main(data="", examples=400, hidden=32, steps=200, seed=0, settings=SHORT)
    assert [row.words for row in rows] == ["8x8 digits", "MNIST-1D", "8x8 digits, random labels"]
    for row in rows:
        draws = math.ceil(20_000 / 400) * 400
        on_sample = row.risk
        low, high = on_sample, 1.0
        for _ in range(100):  # a bisection of one's own
            middle = (low + high) / 2
            low, high = (middle, high) if binary_kl(on_sample, middle) <= math.log(100) / draws else (low, middle)
        budget = (row.nats + math.log(2 * math.sqrt(400) / 0.025)) / 400
        if row.bound < 1:
            assert binary_kl(low, row.bound) == pytest.approx(budget, rel=1e-6)
    assert rows[2].bound > 0.5  # random labels: half of all answers are wrong, whoever gives them
    said = capsys.readouterr().out
    assert "| published, MNIST | 55,000 | | 0.028 | 5,144 | 0.161 | |" in said
    assert "nats an example" in said


def test_pictures_as_they_are_published(script: ModuleType, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for name, array in (
        ("images-idx3", draws.integers(0, 256, (60, 4, 4))),
        ("labels-idx1", draws.integers(0, 10, 60)),
    ):
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (tmp_path / f"train-{name}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())
    found = script.tasks(str(tmp_path), 50, 0)
    assert found[0][0] == tmp_path.name
    assert [(len(x), set(y.tolist())) for _, x, y in found] == [(50, {0, 1})] * 2
