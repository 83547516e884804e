"""A ten-line unit, dropped into each open room of a copy, shows everywhere with no other edit."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.checks import CHECKS
from tests.house.source import ROOT, SRC
from tests.house.strangers import STRANGERS

from heldout.catalog import ROOMS

READ = ("stranger-measure", "stranger-representation")
NAMED = (
    *READ, "stranger-bound", "stranger-criterion", "stranger-dataset", "stranger-network", "stranger-intervention", "stranger-study",
    "stranger-observable",
)  # fmt: skip
AUDIT = """
import json, sys, torch, heldout
assert heldout.__file__.startswith(sys.argv[1]), heldout.__file__
torch.manual_seed(0)
network = torch.nn.Linear(3, 2)
x, y = torch.randn(40, 3), torch.arange(40) % 2
audit = heldout.audit(heldout.Subject(network, train=(x, y), test=(torch.randn(40, 3), y)), progress=False)
print(json.dumps(audit.to_dict()))
"""
REPORT = """
import json, sys
from heldout.verbs.record import Audit
Audit.from_dict(json.load(open(sys.argv[1], encoding="utf-8"))).report(sys.argv[2])
"""
DOCS = "import runpy; print(runpy.run_path('docs/generate.py')['page']())"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source with strangers in it."""
    folder: Path = tmp_path_factory.mktemp("copy") / "src"
    shutil.copytree(SRC / "heldout", folder / "heldout", ignore=shutil.ignore_patterns("__pycache__"))
    for room, text in STRANGERS.items():
        (folder / "heldout" / room / "stranger.py").write_text(f'"""A stranger\'s."""\n{text}', encoding="utf-8")
    return folder


def run(copy: Path, *words: str) -> str:
    """What a command says when it finds the copy instead of the source."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def command_line(copy: Path, *words: str) -> str:
    return run(copy, "-c", "import sys; from heldout.faces.cli import main; sys.exit(main(sys.argv[1:]))", *words)


@pytest.fixture(scope="module")
def record(copy: Path) -> dict[str, Any]:
    """The record of a small audit."""
    read: dict[str, Any] = json.loads(run(copy, "-c", AUDIT, str(copy)))
    return read


def test_there_is_a_stranger_for_every_open_room() -> None:
    assert set(STRANGERS) == set(ROOMS)


def test_the_list_shows_them(copy: Path) -> None:
    listed = {row["name"] for row in json.loads(command_line(copy, "list", "--json"))}
    assert set(NAMED) <= listed
    figures = {row["name"] for row in json.loads(command_line(copy, "list", "--kind", "figure", "--json"))}
    assert "stranger-figure" in figures


def test_each_is_explained(copy: Path) -> None:
    said = command_line(copy, "explain", "stranger-measure")
    assert "Largest training loss." in said
    assert "a stranger's" in said
    assert "The trivial bound." in command_line(copy, "explain", "stranger-bound")


def test_measures_are_read_and_bounds_certify(record: dict[str, Any]) -> None:
    readings = {row["name"]: row for row in record["readings"]}
    for name in READ:
        assert readings[name]["status"] == "ok", readings[name]
        assert readings[name]["family"] == "stranger"
    certificates = {row["name"]: row for row in record["certificates"]}
    assert certificates["stranger-bound"]["status"] == "vacuous"


def test_the_report_shows_readings_certificate_and_figure(record: dict[str, Any], copy: Path, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    run(copy, "-c", REPORT, str(tmp_path / "record.json"), str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for name in (*READ, "stranger-bound"):
        assert name in page
    assert re.search("A stranger(&#39;|')s figure", page)


def test_the_documentation_shows_them(copy: Path) -> None:
    page = run(copy, "-c", DOCS)
    for name in NAMED:
        assert f"### {name}\n" in page


def test_the_common_checks_take_them_up(copy: Path) -> None:
    collected = run(copy, "-m", "pytest", "--collect-only", "-q", "tests/test_common.py", "-k", "stranger")
    for name in READ:
        for check in CHECKS:
            assert f"test_measure[{name}-{check}]" in collected
    for name in set(NAMED) - set(READ):
        assert f"test_other_units_say_what_they_are[{name}]" in collected


def test_they_are_no_longer_than_they_should_be() -> None:
    """Ten lines beside the docstring's example and the blank ones."""
    for text in STRANGERS.values():
        code = re.sub(r"    Example:.*?(?=\n    \"\"\")", "", text, flags=re.DOTALL)
        assert len([line for line in code.splitlines() if line.strip() not in ("", '"""')]) <= 10
