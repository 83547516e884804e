"""Which files are of which run, the table of a run, and a folder that means harm."""

from pathlib import Path

import numpy as np
import pytest
from tests.oracles.event_files import event, simple

from heldout.engine.numerics import binomial_inverse_upper
from heldout.engine.watching.logs import finding, read_runs
from heldout.engine.watching.logs.scalars import series_of
from heldout.engine.watching.logs.tables import COLUMNS, table_of, thinned
from heldout.records import Refusal

CSV = "step,train_loss,val_acc\n1,2.0,50\n2,1.0,75\n"


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def events(tag: str, *values: float) -> bytes:
    return b"".join(event(step, simple(tag, value), time=100.0 + step) for step, value in enumerate(values))


def test_every_tool_has_its_runs(tmp_path: Path) -> None:
    put(tmp_path / "torch/events.out.tfevents.1.a", events("Loss/train", 3, 2))
    put(tmp_path / "torch/events.out.tfevents.2.a", events("Loss/val", 4))
    put(tmp_path / "torch/loss_val/events.out.tfevents.3.a", events("loss", 5))
    put(tmp_path / "keras/train/events.out.tfevents.1.v2", events("epoch_loss", 3, 2))
    put(tmp_path / "keras/validation/events.out.tfevents.1.v2", events("epoch_loss", 4, 5))
    put(tmp_path / "lightning_logs/version_0/metrics.csv", CSV)
    put(tmp_path / "lightning_logs/version_0/hparams.yaml", "a: 1")
    for number in (500, 1000, 90):
        step = 10 * number
        put(
            tmp_path / f"hf/checkpoint-{number}/trainer_state.json",
            f'{{"log_history": [{{"step": {step}, "loss": 1.0}}]}}',
        )
    put(tmp_path / "two/a.csv", CSV)
    put(tmp_path / "two/b.jsonl", '{"step": 1, "val_loss": 2}\n')
    put(tmp_path / "two/data.csv", "x,y\n1,2\n")
    found = read_runs(tmp_path)
    assert {run.name: (run.kind, [each.ours for each in run.meanings]) for run in found.runs} == {
        "hf": ("trainer state", ["train-loss"]),
        "keras": ("event file", ["train-loss", "validation-loss"]),
        "lightning_logs/version_0": ("csv", ["train-loss", "validation-error"]),
        "torch": ("event file", ["train-loss", "validation-loss"]),
        "two/a.csv": ("csv", ["train-loss", "validation-error"]),
        "two/b.jsonl": ("jsonl", ["validation-loss"]),
    }
    assert [run.table.step.max() for run in found.runs if run.name == "hf"] == [10_000]
    assert found.notes == (
        "'data.csv' has no column step or epoch among x, y; expected a column of steps: pass --step with its name.",
    )
    torch = next(run for run in found.runs if run.name == "torch")
    assert torch.left == ("loss_val/loss",)
    assert torch.table.seconds.tolist() == [0.0, 0.0, 1.0]


def test_one_file_is_a_run(tmp_path: Path) -> None:
    put(tmp_path / "mine/log.csv", CSV)
    (run,) = read_runs(tmp_path / "mine/log.csv").runs
    assert (run.name, run.scalars, run.unit) == ("mine", 2, "step")
    assert run.notes == ("val_acc was read as per cent: it has values above 1.",)


def test_the_table_is_that_of_a_watched_run() -> None:
    table = table_of(
        {
            "train-error": series_of([0, 10, 20], [0.5, 0.25, 0.125], [7.0, 8.0, 9.0]),
            "validation-error": series_of([5, 20], [0.5, 0.25], [7.5, 9.0]),
            "train-loss": series_of([10], [float("inf")]),
        },
        validation=100,
    )
    assert tuple(table.columns) == COLUMNS
    assert table.step.tolist() == sorted(table.step)
    errors = table[table.name == "validation-error"]
    assert errors.high.tolist() == pytest.approx(np.asarray(binomial_inverse_upper([50, 25], 100, np.log(0.025))))
    gap = table[table.name == "gap"]
    assert gap.value.tolist() == [0.0, 0.125]  # the latest training error at or before
    assert (gap.high - gap.value).tolist() == pytest.approx((errors.high - errors.value).tolist())
    lost = table[table.name == "train-loss"].iloc[0]
    assert (lost.status, np.isnan(lost.value)) == ("not-finite", True)
    assert np.isnan(lost.seconds)


def test_long_curves_are_averaged_for_pictures() -> None:
    table = table_of({"train-loss": series_of(np.arange(10_000), np.arange(10_000) % 2)})
    shown = thinned(table)
    assert len(shown) == 4000
    assert shown.step.iloc[-1] == 9999
    assert set(shown.value) <= {0.0, 1 / 3, 0.5, 2 / 3, 1.0}
    assert thinned(table[:50]).equals(table[:50])


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "secret/other.csv", CSV)
    put(tmp_path / "logs/a.csv", CSV)
    (tmp_path / "logs/b.csv").symlink_to(tmp_path / "secret/other.csv")
    (tmp_path / "logs/c").symlink_to(tmp_path / "secret")
    (tmp_path / "logs/d.csv").symlink_to(tmp_path / "logs/d.csv")  # to itself
    (tmp_path / "logs/e.csv").mkdir()
    assert [run.name for run in read_runs(tmp_path / "logs").runs] == ["logs"]


def test_a_folder_has_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "/".join("abcdefghij") / "log.csv", CSV)
    with pytest.raises(Refusal, match="holds no log"):
        read_runs(tmp_path)
    monkeypatch.setattr(finding, "MOST_FILES", 5)
    with pytest.raises(Refusal, match="more than 5 files"):
        read_runs(tmp_path)


def test_faults_of_all_files_are_said_together(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", "x,y\n1,2\n")
    put(tmp_path / "b.csv", "step,lr\n1,2\n")
    with pytest.raises(Refusal, match="2 faults at once") as refusal:
        read_runs(tmp_path)
    assert "b.csv' has no loss or error" in str(refusal.value)


def test_a_name_given_by_hand_must_be_there(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", CSV.replace("val_acc", "score"))
    (run,) = read_runs(tmp_path, given={"score": "1-validation-error"}).runs
    assert run.table[run.table.name == "validation-error"].value.tolist() == [0.5, 0.25]
    with pytest.raises(Refusal, match="--map named 'scor'; expected a name of the log: score, train_loss"):
        read_runs(tmp_path, given={"scor": "validation-error"})


@pytest.mark.parametrize("name", ["gone", "weights.pt"])
def test_what_is_no_place_for_logs(tmp_path: Path, name: str) -> None:
    put(tmp_path / "weights.pt", "")
    with pytest.raises(Refusal, match="LOGDIR was"):
        read_runs(tmp_path / name)
