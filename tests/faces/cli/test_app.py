"""The entry point: every way to end has its exit code and its sentence."""

import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from tests.faces.cli import world

import heldout
import heldout.faces.cli.app as app
from heldout.faces.cli import main

PROGRAM = shutil.which("heldout", path=str(Path(sys.executable).parent)) or "heldout"
SLOW = """
import torch
from torch import nn

def mlp():
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))

def data():
    import sys, time
    print("reading", file=sys.stderr, flush=True)
    time.sleep(60)
"""


def job(action: object) -> object:
    """A stand-in for parsing: the job that the parser gives back."""

    class Parsed:
        def main(self, **_: object) -> object:
            return action

    return lambda _app: Parsed()


def test_the_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr() == (f"heldout {heldout.__version__}\n", "")


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_names_every_command(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out, err = capfd.readouterr()
    assert err == ""
    for command in ("audit", "list", "explain", "runs", "show", "--version", "--debug"):
        assert command in out


@pytest.mark.parametrize("words", ["--help", "--version", "audit --help", "adit", "audit --sed 1"])
def test_what_needs_no_arithmetic_loads_none(words: str) -> None:
    """Help and usage errors are quick because torch is not imported for them."""
    code = (
        "import sys; from heldout.faces.cli import main; main(sys.argv[1:]); "
        "heavy = {'torch', 'numpy', 'pandas', 'altair', 'duckdb'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_fault_of_ours_says_so(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        raise KeyError("a\nlong story")

    monkeypatch.setattr(app.typer.main, "get_command", job(fails))
    assert main(["list"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("heldout: this is a fault of heldout's and not of your input (KeyError: ")
    assert err.count("\n") == 1
    assert "--debug" in err
    assert main(["list", "--debug"]) == 1
    assert "Traceback (most recent call last)" in capfd.readouterr().err


def test_a_refusal_shows_its_traceback_only_with_debug(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "nothing-of-the-kind"]) == 2
    assert "Traceback" not in capfd.readouterr().err
    assert main(["--debug", "explain", "nothing-of-the-kind"]) == 2
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["audit", "--network", "a:b", "--store", "kept"], "kept in 'kept', and the same command goes on from there"),
        (["audit", "--network=a:b", "--store=kept"], "kept in 'kept', and the same command goes on from there"),
        (["audit", "--network", "a:b"], "nothing was kept"),
        (["audit", "--store", "kept"], "nothing was kept"),
        (
            ["posterior", "--network", "a:b", "--store", "kept"],
            "in 'kept' every half a minute, and the same command goes on",
        ),
        (["posterior", "--network", "a:b"], "nothing was kept (with --store DIR"),
        (["list"], "nothing was changed"),
    ],
)
def test_ctrl_c_says_what_is_kept(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.typer.main, "get_command", job(stopped))
    assert main(words) == 130
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err


def test_ctrl_c_in_a_real_process(tmp_path: Path) -> None:
    world.build(tmp_path)
    (tmp_path / "slow_models.py").write_text(SLOW)
    words = ["audit", "--network", "slow_models:mlp", "--weights", "w.safetensors", "--train", "slow_models:data"]
    with subprocess.Popen(
        [PROGRAM, *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests run in the background ignore it
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("heldout: stopped; nothing was kept")
    assert err.count("\n") == 1


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    process = subprocess.Popen([PROGRAM, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_warnings_of_ours_are_notes_and_others_are_silent(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = str(Path(heldout.__file__).parent / "engine" / "x.py")

    def warns() -> None:
        for _ in range(2):
            warnings.warn_explicit("members are called\none by one", UserWarning, ours, 1)
        warnings.warn_explicit("old", DeprecationWarning, ours, 1)
        warnings.warn_explicit("theirs", UserWarning, "site-packages/torch/x.py", 1)

    monkeypatch.setattr(app.typer.main, "get_command", job(warns))
    assert main(["list"]) == 0
    assert capfd.readouterr() == ("", "heldout: note: members are called one by one\n")
    assert main(["audit", "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
