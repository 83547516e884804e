"""The public names are the contents page, and importing them costs next to nothing until one is used."""

import ast
import subprocess
import sys

import pytest
from tests.house.source import modules

import heldout

#: What ``import heldout`` may not bring along.
HEAVY = ("torch", "numpy", "scipy", "pandas", "sklearn", "altair", "duckdb", "pyarrow", "typer", "rich", "jinja2")


def test_at_most_fifteen_names_in_order() -> None:
    assert len([name for name in heldout.__all__ if not name.startswith("__")]) <= 15
    assert list(heldout.__all__) == sorted(heldout.__all__)
    assert len(set(heldout.__all__)) == len(heldout.__all__)
    assert dir(heldout) == sorted(heldout.__all__)


@pytest.mark.parametrize("name", heldout.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    thing = getattr(heldout, name)
    assert thing is not None
    if name != "__version__":
        assert (thing.__doc__ or "").strip(), f"heldout.{name} has no docstring"


def test_the_contents_page_names_what_type_checkers_see() -> None:
    block = next(node for node in modules()["heldout"].body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen | {"__version__"} == set(heldout.__all__)


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match="it has Population"):
        _ = heldout.nothing


def test_importing_heldout_imports_nothing_heavy() -> None:
    code = f"import sys, heldout; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
