"""A skipped test fails the run unless its reason is on the list; shapes are checked while tests run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError
from tests.house.source import ROOT

from heldout.measures.margins import margin_median

LAZY = "import pytest\n\ndef test_it() -> None:\n    pytest.skip({reason!r})\n"
WHOLE_FILE = "import pytest\n\npytest.skip({reason!r}, allow_module_level=True)\n"
EXPECTED = "import pytest\n\n@pytest.mark.xfail(reason={reason!r}, strict=True)\ndef test_it() -> None:\n    assert 0\n"
PASSING = "def test_it() -> None:\n    pass\n"


def outcome(folder: Path, text: str, reason: str) -> tuple[int, str]:
    """Exit code and words of a run of one file under this project's conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "test_one.py").write_text(text.format(reason=reason) + PASSING.replace("test_it", "test_other"))
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("text", "reason", "code"),
    [
        (LAZY, "not today", 1),
        (WHOLE_FILE, "not today", 1),
        (LAZY, "no CUDA device", 0),
        (EXPECTED, "a known fault", 0),
        (PASSING, "", 0),
    ],
    ids=["lazy", "whole file", "allowed", "expected failure", "passing"],
)
def test_only_listed_skips_pass(tmp_path: Path, text: str, reason: str, code: int) -> None:
    returned, said = outcome(tmp_path, text, reason)
    assert returned == code, said
    assert ("SKIP NOT ALLOWED" in said) == bool(code)


def test_shapes_in_open_rooms_are_checked() -> None:
    with pytest.raises(TypeCheckError):
        margin_median(torch.zeros(3, 2))


def test_whole_numbers_pass_for_floats() -> None:
    from heldout.records import Passes

    assert Passes(1, 2) == Passes(1.0, 2.0)
