"""``heldout watch``: its words, record, page and store, what it refuses, and a training that is followed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.oracles.event_files import event, simple

from heldout.engine.store import Store
from heldout.engine.store.trajectories import read_trajectory, trajectory_runs
from heldout.engine.watching.logs import read_runs
from heldout.faces.cli import main
from heldout.faces.cli.watch import looks
from heldout.faces.cli.watch_store import LogKeeper
from heldout.faces.cli.watched import record_of


def line(step: int, train: float, unseen: float, error: float) -> str:
    return f"{step},{train},{unseen},{error}\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A training that overfits from step 1,000 on, by its losses."""
    place = tmp_path / "logs" / "<b>run & son"
    place.mkdir(parents=True)
    text = "step,train_loss,val_loss,val_accuracy\n"
    for number in range(1, 41):
        step = 50 * number
        worse = max(0, number - 20)
        text += line(
            step,
            round(2.3 / number, 4),
            round(0.6 + 1.7 / number + 0.04 * worse, 4),
            round(0.8 - 0.7 / number - 0.005 * worse, 4),
        )
    (place / "metrics.csv").write_text(text + "2050,0.1")
    return tmp_path / "logs"


def test_a_log_becomes_words_a_page_a_record_and_a_stored_run(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, record, store = tmp_path / "page.html", tmp_path / "record.json", tmp_path / "store"
    outputs = ["--report", str(page), "--json", str(record), "--store", str(store)]
    assert main(["watch", str(logs), "--validation-size", "2000", "--delta", "0.1", *outputs]) == 0
    said = capsys.readouterr().out
    assert "Ship the checkpoint of step 1,000" in said
    assert "at least 90 %" in said
    assert "overfitting from" in said
    (run,) = json.loads(record.read_text())["runs"]
    assert (run["name"], run["source"], run["last_step"]) == ("<b>run & son", "csv", 2000)
    assert run["advice"]["step"] == 1000
    assert {row["name"]: row["theirs"] for row in run["readings"]} == {
        "train-loss": "train_loss", "validation-loss": "val_loss", "validation-error": "val_accuracy",
    }  # fmt: skip
    html = page.read_text()
    assert "&lt;b&gt;run &amp; son" in html
    assert "<b>run" not in html
    assert "run-0-loss" in html
    (kept,) = trajectory_runs(Store(str(store)))
    assert (kept["kind"], kept["name"], kept["validation"], kept["finished"]) == ("log", "<b>run & son", 2000, True)
    rows = read_trajectory(Store(str(store)), kept["run"])
    assert len(rows) == 120
    assert rows.high.notna().sum() == 40  # the validation errors
    final = json.loads((store / "trajectories" / kept["run"] / "final.json").read_text())
    assert final["advice"]["step"] == 1000


def test_many_runs_have_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abcd":
        (tmp_path / name).mkdir()
        records = [event(step, simple("val_loss", 1 / (step + 1))) for step in range(5)]
        (tmp_path / name / "events.out.tfevents.1.x").write_bytes(b"".join(records))
    assert main(["watch", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "lowest validation" in said
    assert "--run NAME" in said
    assert main(["watch", str(tmp_path), "--run", "c", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in found["runs"]] == ["c"]


def test_what_a_log_does_not_say_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.csv").write_text("tick,score\n" + "".join(f"{tick},{tick / 10}\n" for tick in range(1, 8)))
    words = ["watch", str(tmp_path), "--step", "tick", "--map", "score=1-validation-error", "--validation-size", "50"]
    assert main([*words, "--json", "-"]) == 0
    plain = json.loads(capsys.readouterr().out)["runs"][0]["advice"]
    assert plain["step"] == 7
    assert main([*words, "--stopped-early", "--json", "-"]) == 0
    early = json.loads(capsys.readouterr().out)["runs"][0]["advice"]
    assert early["selection"]["limit"] > plain["selection"]["limit"]
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "LOGDIR was 'nowhere', which is not there"),
        (["."], "holds no log"),
        ([".", "--map", "a=b", "--delta", "2", "--validation-size", "0"], "3 faults at once"),
        ([".", "--json", "gone/x.json"], "--json was 'gone/x.json'"),
        ([], "missing argument 'LOGDIR'"),
    ],
)
def test_a_bad_input_is_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_there_is_refused(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(logs), "--run", "daughter"]) == 2
    assert "part of a run's name: <b>run & son" in capsys.readouterr().err


def test_what_is_followed_is_read_when_it_changes_and_not_otherwise(logs: Path) -> None:
    file, waits, seen = next(logs.rglob("metrics.csv")), [], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            file.write_text(file.read_text()[:-8] + line(2050, 0.1, 2.0, 0.5))
        if len(waits) == 5:
            raise KeyboardInterrupt

    def follow() -> None:
        for found in looks(lambda: read_runs(logs), str(logs), wait):
            seen.append(int(found.runs[0].table["step"].max()))

    with pytest.raises(KeyboardInterrupt):
        follow()
    assert seen == [2000, 2050]
    assert min(waits) >= 2


def test_what_is_followed_is_kept_once_and_in_whole_steps(logs: Path, tmp_path: Path) -> None:
    file, place = next(logs.rglob("metrics.csv")), str(tmp_path / "store")
    whole = file.read_text().splitlines(keepends=True)[:-1]
    keeper = LogKeeper(place, None)
    for end in (3, 3, 10, 41):
        file.write_text("".join(whole[:end]))
        found = read_runs(logs)
        keeper.add(found)
    (run,) = trajectory_runs(Store(place))
    assert (len(read_trajectory(Store(place), run["run"])), run["finished"]) == (39 * 3, False)
    keeper.finish(record_of(found, str(logs), None, delta=0.05, adaptive=False))
    rows = read_trajectory(Store(place), run["run"])
    assert len(rows) == len(rows.drop_duplicates(["step", "name"])) == 120
    assert rows.step.is_monotonic_increasing


def test_the_command_follows(logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    file, count = next(logs.rglob("metrics.csv")), iter(range(9))

    def wait(_seconds: float) -> None:
        if next(count) == 1:
            raise KeyboardInterrupt
        file.write_text(file.read_text()[:-8] + line(2050, 0.1, 2.0, 0.5))

    monkeypatch.setattr(looks, "__defaults__", (wait,))
    assert main(["watch", str(logs), "--follow"]) == 130
    assert "<b>run & son, step 2,050: overfitting; train-loss 0.1" in capsys.readouterr().out


def test_the_program_reads_a_log(logs: Path) -> None:
    program = shutil.which("heldout", path=str(Path(sys.executable).parent))
    assert program is not None
    words = [program, "watch", str(logs), "--json", "-"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["advice"]["step"] == 1000
