"""CSV, JSON lines and trainer states as Lightning, Keras and the Trainer write them, half written, torn and hostile."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from heldout.engine.watching.logs import csv_files, jsonl_files, lines, trainer_state
from heldout.engine.watching.logs.rows import number_of
from heldout.engine.watching.logs.scalars import Log, joined, series_of
from heldout.records import Refusal

LIGHTNING = "epoch,step,train_loss_step,val_loss\n0,49,2.25,\n0,99,,1.5\n1,149,1.75,\n"
KERAS = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.25,0.4,1.5\n1,0.75,0.5,0.6,1.0\n"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "log.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def values(log: Log) -> dict[str, list[tuple[int, float]]]:
    return {
        name: list(zip(each.step.tolist(), each.value.tolist(), strict=True))
        for name, each in sorted(log.series.items())
    }


def test_lightning_leaves_cells_empty(put: Callable[..., Path]) -> None:
    log = csv_files.read(put(LIGHTNING))
    assert values(log) == {"train_loss_step": [(49, 2.25), (149, 1.75)], "val_loss": [(99, 1.5)]}
    assert (log.unit, log.notes) == ("step", ())


def test_keras_counts_epochs(put: Callable[..., Path]) -> None:
    log = csv_files.read(put(KERAS))
    assert log.unit == "epoch"
    assert values(log)["val_loss"] == [(0, 1.5), (1, 1.0)]


@pytest.mark.parametrize(
    "text", [KERAS.replace(",", ";"), KERAS.replace(",", "\t"), KERAS.replace("\n", "\r\n"), "\ufeff" + KERAS]
)
def test_other_tables(put: Callable[..., Path], text: str) -> None:
    assert values(csv_files.read(put(text)))["loss"] == [(0, 1.25), (1, 0.5)]


def test_a_half_written_line_waits_and_a_torn_one_is_counted(put: Callable[..., Path]) -> None:
    whole = csv_files.read(put(LIGHTNING + "2,199,1.2"))
    assert values(whole)["train_loss_step"][-1] == (149, 1.75)
    torn = csv_files.read(put(LIGHTNING + "2,1\n2,199,1.25,\n,,7,\n"))
    assert values(torn)["train_loss_step"][-1] == (199, 1.25)
    assert torn.notes == (
        "log.csv: 1 lines were no records and were passed over.", "log.csv: 1 records without a whole step were passed over.",
    )  # fmt: skip


def test_the_step_may_be_named(put: Callable[..., Path]) -> None:
    text = "tick,loss\n3,1.0\n"
    assert values(csv_files.read(put(text), "tick")) == {"loss": [(3, 1.0)]}
    with pytest.raises(Refusal, match="no column step or epoch among tick, loss"):
        csv_files.read(put(text))
    with pytest.raises(Refusal, match="--step was 'tock'"):
        csv_files.read(put(text), "tock")


def test_lines_of_json(put: Callable[..., Path]) -> None:
    rows = [
        {"step": 1, "val": {"loss": 0.5, "by": {"class": {"0": 3}}}, "time_note": "x", "done": True, "timestamp": 10.5},
        {"step": 2, "loss": float("nan"), "lr": None, "timestamp": 11.5},
        {"global_step": 3},
    ]
    text = (
        "".join(json.dumps(row) + "\n" for row in rows) + "[1]\nnot json\n" + "[" * 99999 + "\n" + '{"step": 4, "loss"'
    )
    log = jsonl_files.read(put(text, "log.jsonl"))
    assert {name: each.step.tolist() for name, each in log.series.items()} == {"val/loss": [1], "loss": [2]}
    assert np.isnan(log.series["loss"].value[0])
    assert log.series["loss"].time.tolist() == [11.5]
    assert "3 lines were no records" in log.notes[0]


def test_the_summary_of_a_trainer_is_no_point_of_a_curve(put: Callable[..., Path]) -> None:
    state = {"global_step": 20, "log_history": [
        {"epoch": 0.5, "loss": 2.0, "learning_rate": 1e-4, "step": 10},
        {"epoch": 1.0, "eval_loss": 1.5, "eval_runtime": 3.0, "step": 20},
        {"epoch": 1.0, "train_loss": 1.75, "train_runtime": 30.0, "step": 20}, "torn",
    ]}  # fmt: skip
    log = trainer_state.read(put(json.dumps(state), "trainer_state.json"))
    assert {"loss", "eval_loss"} <= set(log.series)
    assert "train_loss" not in log.series
    assert log.unit == "step"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"log_history": 3}', "[" * 99999, b"\x80\x04]."])
def test_what_is_no_trainer_state(put: Callable[..., Path], text: str | bytes) -> None:
    with pytest.raises(Refusal, match="no log_history"):
        trainer_state.read(put(text, "trainer_state.json"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no whole line"),
        ("step,loss", "no whole line"),
        ("step,loss\n1,x\n", "no row with a number"),
        ("step,loss\n-1,2\n0.5,2\n", "no row with a number"),
        ("step,loss,loss\n1,2,3\n", "two columns of one name"),
        (b"\x80\x04\x95" + bytes(range(128, 256)) + b"\n", "no text"),
        ("step,loss\n1,\0\n", "zero byte"),
        ("step,loss\n1," + "9" * 200_000 + "\n", "no table"),
    ],
    ids=["empty", "header", "words", "steps", "twice", "binary", "zero", "cell"],
)
def test_what_is_no_log_is_one_sentence(put: Callable[..., Path], text: str | bytes, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        csv_files.read(put(text))


def test_sizes_have_their_ends(put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 30)
    with pytest.raises(Refusal, match="a line of 60 characters"):
        csv_files.read(put(KERAS.replace("\n", ",", 1) + "\n"))
    monkeypatch.setattr(lines, "LARGEST", 10)
    with pytest.raises(Refusal, match="at most 10"):
        csv_files.read(put(KERAS))


def test_numbers_from_words() -> None:
    assert number_of("1e-3") == 0.001
    assert number_of(10**400) == float("inf")
    assert np.isnan(number_of(True))


def test_a_run_that_was_taken_up_again_goes_on() -> None:
    first, second = (
        Log({"loss": series_of([1, 2, 3], [9.0, 8, 7])}, ("a",)),
        Log({"loss": series_of([3, 4], [6.0, 5])}, ("b",)),
    )
    whole = joined([first, second])
    assert whole.series["loss"].value.tolist() == [9, 8, 6, 5]
    assert whole.notes == ("a", "b")
