"""The source as text: modules, their imports, and the files that git keeps."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from heldout import _PLACES  # a name of the contents page stands for the room that it comes from

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


@cache
def modules() -> dict[str, ast.Module]:
    """Module's name -> syntax tree."""
    return {module_name(path, SRC): ast.parse(path.read_text(encoding="utf-8")) for path in SRC.rglob("*.py")}


def module_name(path: Path, source: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The modules of heldout that a module imports, those inside functions included, those for type checkers not."""
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "heldout")
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "heldout":
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                place = _PLACES.get(alias.name, node.module) if node.module == "heldout" else node.module
                yield submodule if submodule in known else place


def tracked() -> list[Path]:
    """The files of the repository: what git keeps, or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    """Calls of functions or classes by these names, dotted or plain."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                yield node


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _executed(other)
        else:
            yield child
            yield from _executed(child)
