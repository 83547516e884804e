"""Every bad input: one sentence, exit code 2, no traceback, nothing written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faces.cli import world
from tests.faces.cli.bad_inputs import TABLE, Bad

from heldout.faces.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    world.build(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])  # heldout makes the current folder importable
    for name in [name for name in sys.modules if name.endswith("_models")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def words_of(case: Bad, folder: Path) -> list[str]:
    return list(case.words) or world.command(folder, case.changes)


def check(case: Bad, code: int, out: str, err: str) -> None:
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1, "one sentence on one line"
    assert err.startswith("heldout: ")
    assert err.endswith(".\n")
    assert "Traceback" not in err
    place = 0
    for words in case.says:
        assert words in err[place:], f"'{words}' is not in: {err}"
        place = err.index(words, place)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name.replace(" ", "-"))
def test_a_bad_input_is_answered_by_one_sentence(case: Bad, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = words_of(case, folder)
    before = world.files(folder)
    code = main(words)
    check(case, code, *capfd.readouterr())
    assert world.files(folder) == before


@pytest.mark.parametrize("case", [case for case in TABLE if case.subprocess], ids=lambda c: c.name.replace(" ", "-"))
def test_the_program_answers_the_same(case: Bad, folder: Path) -> None:
    words = words_of(case, folder)
    before = world.files(folder)
    program = shutil.which("heldout", path=str(Path(sys.executable).parent))
    assert program is not None
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, env={**os.environ})
    check(case, done.returncode, done.stdout, done.stderr)
    assert world.files(folder) == before


def test_the_table_is_as_long_as_promised() -> None:
    assert len({case.name for case in TABLE}) == len(TABLE) >= 60
    assert sum(case.subprocess for case in TABLE) >= 6


def test_the_good_command_of_the_table_is_not_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Otherwise every row of the table could pass for another reason than its own."""
    assert main([*world.command(folder, {"--report": None, "--store": None}), "--plan", "--quiet"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "path-norm" in out
    assert world.files(folder)["out/audit.json"] > 100
