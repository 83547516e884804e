"""A file is a thought: at most 250 lines, at most eight units, a name that says what is in it."""

import ast
import re
from pathlib import Path

import pytest
from tests.house.source import ROOT, SRC, calls, modules, tracked

LONGEST = 250
UNITS = 8
DECORATORS = {"measure", "profile", "bound", "evidence", "figure", "dataset", "network", "observable"}
NAMES_OF_NOTHING = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|stuff|tools?)(_|$)")
#: This file's own word for the tests that every unit shares.
ALLOWED_NAMES = {"test_common"}


def python_files() -> list[Path]:
    return [path for folder in (SRC, ROOT / "tests") for path in folder.rglob("*.py")]


def test_no_file_is_longer_than_a_thought() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_at_most_eight_units_a_file() -> None:
    def count(tree: ast.Module) -> int:
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        return sum(any(list(calls(mark, DECORATORS)) for mark in function.decorator_list) for function in functions)

    rooms = {name: tree for name, tree in modules().items() if not name.startswith("heldout.engine")}
    counts = {name: count(tree) for name, tree in rooms.items()}
    assert sum(counts.values()) > 10, "the decorators were not recognised"
    assert {name: units for name, units in counts.items() if units > UNITS} == {}


def test_names_say_what_is_in_a_file() -> None:
    names = [path.stem for path in python_files()] + [path.parent.name for path in python_files()]
    assert [name for name in names if NAMES_OF_NOTHING.search(name) and name not in ALLOWED_NAMES] == []


@pytest.mark.parametrize("name", ["utils", "data_helpers", "run_manager", "misc"])
def test_a_name_of_nothing_is_seen(name: str) -> None:
    assert NAMES_OF_NOTHING.search(name)


def test_every_module_says_what_it_is() -> None:
    silent = [name for name, tree in modules().items() if not ast.get_docstring(tree)]
    assert set(silent) <= {"heldout._version"}  # one line, which packaging reads


def test_no_postponed_annotations() -> None:
    """They would hide the shapes from the checker that runs under pytest."""
    postponed = [name for name, tree in modules().items() for node in tree.body
                 if isinstance(node, ast.ImportFrom) and node.module == "__future__"]  # fmt: skip
    assert postponed == []


#: Places of one machine and hosts of registries, pieced together so that this file does not name them itself.
FOREIGN = re.compile("|".join((
    r"(?<![\w.])/(work|root|home|Users)/\w", "C:" + r"\\\\Users", "py" + r"pi\.org", "python" + "hosted",
    "--" + "(extra-)?index-url", r"download\.py" + r"torch", r"registry\.\w+\.\w+",
)))  # fmt: skip


def test_no_path_of_a_machine_and_no_registry_host() -> None:
    faults = []
    for path in tracked():
        if path.suffix in (".png", ".jpg", ".npz", ".parquet", ".safetensors", ".svg", ".ipynb"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FOREIGN.search(line) and path != Path(__file__):
                faults.append(f"{path.relative_to(ROOT)}, line {number}: {line.strip()[:80]}")
    assert faults == []


@pytest.mark.parametrize("line", ["see /ro" + "ot/x", "https://py" + "pi.org/simple", "pip --ind" + "ex-url x"])
def test_a_foreign_place_is_seen(line: str) -> None:
    assert FOREIGN.search(line)
