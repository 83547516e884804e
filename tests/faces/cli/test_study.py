"""``heldout study`` as a person types it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.faces.cli import main

Output = pytest.CaptureFixture[str]


PROGRAM = shutil.which("heldout", path=str(Path(sys.executable).parent)) or "heldout"


def heldout(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_it_lists_runs_and_shows(tmp_path: Path) -> None:
    listed = json.loads(heldout(tmp_path, "study", "list", "--json").stdout)
    assert {row["name"] for row in listed} >= {"double-descent-least-squares"}
    words = ("study", "run", "double-descent-least-squares", "--size", "smoke", "--set", "repetitions=200")
    done = heldout(tmp_path, *words, "--json", "record.json", "--report", "page.html")
    assert done.returncode == 0, done.stderr
    assert "reproduced" in done.stdout
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["size"] == "smoke, changed"
    assert record["settings"]["repetitions"] == 200
    assert {"claim", "source", "statistic", "value", "low", "high", "verdict"} <= set(record["claims"][0])
    assert record["seconds"] > 0
    cells = sorted((tmp_path / "runs" / "cells").iterdir())
    assert len(cells) == 5
    before = [cell.stat().st_mtime_ns for cell in cells]
    assert heldout(tmp_path, *words, "--quiet").returncode == 0
    assert [cell.stat().st_mtime_ns for cell in cells] == before  # nothing was computed again
    shown = heldout(tmp_path, "study", "show", "double-descent-least-squares", "--json", "-")
    assert json.loads(shown.stdout)["claims"] == record["claims"]
    assert "reproduced" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "double-descent-leest-squares"), "double-descent-least-squares"),
        (("run", "double-descent-least-squares", "--size", "huge"), "smoke, laptop, paper"),
        (("run", "double-descent-least-squares", "--set", "exampels=[1]"), "did you mean 'examples'"),
        (("run", "double-descent-least-squares", "--set", "examples"), "FIELD=VALUE"),
        (("run", "double-descent-least-squares", "--set", "examples=[]"), "at least one"),
        (("run", "double-descent-least-squares", "--set", "seed=3"), "pass it as --seed"),
        (("run", "double-descent-least-squares", "--set", "name=3"), "study run NAME"),
        (("run", "double-descent-least-squares", "--set", "dimension=wide"), "a number, such as 50"),
        (
            ("run", "double-descent-least-squares", "--size", "smoke", "--set", "examples=-5"),
            "failed with another examples",
        ),
        (("run", "double-descent-least-squares", "--seed", "x"), "--seed"),
        (("run", "double-descent-width", "--memory", "much"), "--memory was 'much'"),
        (("run", "double-descent-least-squares", "--data", "x.npz"), "--test"),
        (("run", "double-descent-least-squares", "--network", "torch.nn:Identity", "--size", "smoke"), "network"),
        (("run", "double-descent-least-squares", "--report", "none/x.html"), "--report"),
        (("run", "double-descent-least-squares", "--store", "a-file"), "store"),
        (("show", "double-descent-least-squares"), "none yet"),
    ],
)
def test_bad_input_gets_one_sentence_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Output, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("kept", encoding="utf-8")
    assert main(["study", *words]) == 2
    error = capfd.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-file"]
