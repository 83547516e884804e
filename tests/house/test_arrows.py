"""Floors: no import runs up or sideways, and none in a circle."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from tests.house.source import imports, modules

OPEN = (
    "measures",
    "representation",
    "bounds",
    "criteria",
    "figures",
    "datasets",
    "networks",
    "interventions",
    "studies",
    "posterior",
)
#: Faces read the record; of the engine they know nothing.
FACES = ("faces.report", "faces.terminal", "faces.study_terminal", "faces.certificates_terminal")
#: Low to high; rooms on one floor never import each other.
FLOORS = (
    ("_version",),
    ("records",),
    ("engine.numerics",),
    ("catalog",),
    ("engine.population", "engine.judging", "engine.predicting"),
    ("engine.store",),
    ("engine.subject",),
    ("engine.training", "engine.sampling"),
    ("engine.posteriors", "engine.compression"),
    ("engine.evidence",),
    ("engine.auditing",),
    ("engine.trajectories",),
    ("engine.sweeping", "engine.watching"),
    OPEN,
    ("atlas",),
    ("faces.numbers",),
    FACES,
    ("verbs",),
    ("",),  # heldout itself, the contents page
    ("faces.web",),
    ("faces.cli",),
)
RECORD = {"records", "catalog", "figures", "faces.numbers", "_version"}
READERS = dict.fromkeys(FACES, RECORD)
#: Pages also read the store, what is computed from a training's readings, and what reports draw.
READERS["faces.web"] = RECORD | {"engine.store", "engine.watching", "faces.report"}
EMPTY_PACKAGES = ("engine", "faces")  # a docstring each


def room(module: str) -> str:
    """The room that a module belongs to: the longest name of the table that begins it."""
    inside = module.removeprefix("heldout").removeprefix(".")
    rooms = [name for floor in FLOORS for name in floor if inside == name or (name and inside.startswith(f"{name}."))]
    return max(rooms, key=len, default=f"no floor for {inside}")


def floor(name: str) -> int:
    """How high a room lies."""
    return next(height for height, rooms in enumerate(FLOORS) if name in rooms)


def faults(trees: dict[str, ast.Module]) -> list[str]:
    """Imports that run up or sideways."""
    found = []
    for module, tree in trees.items():
        if module in [f"heldout.{name}" for name in EMPTY_PACKAGES]:
            continue
        own = room(module)
        for imported in imports(tree, set(trees)):
            other = room(imported)
            if own == "":
                continue  # the contents page imports when a name is first used
            if other != own and floor(other) >= floor(own):
                found.append(f"{module} imports {imported}, which is not below it")
            if other != own and own in READERS and other not in READERS[own]:
                found.append(f"{module} imports {imported}, and a face reads records only")
            if other == own and own in OPEN:
                found.append(f"{module} imports its neighbour {imported}: numerics that must agree live in the engine")
    return found


def circles(trees: dict[str, ast.Module]) -> list[str]:
    """The first circle of imports, if any."""
    graph = {module: set(imports(tree, set(trees))) - {module} for module, tree in trees.items() if module != "heldout"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        return [" imports ".join(reversed(circle.args[1]))]
    return []


def test_every_module_has_a_floor() -> None:
    for module in modules():
        if module not in [f"heldout.{name}" for name in EMPTY_PACKAGES]:
            floor(room(module))


def test_no_import_runs_up_or_sideways() -> None:
    assert faults(modules()) == []


def test_no_circles() -> None:
    assert circles(modules()) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("heldout.records.x", "from heldout.catalog import units"),
        ("heldout.engine.population.x", "def f():\n    from heldout.engine import subject"),
        ("heldout.measures.x", "from heldout.figures import margins"),
        ("heldout.measures.x", "from heldout.measures.y import g"),
        ("heldout.engine.evidence.x", "import heldout.verbs.audit"),
        ("heldout.faces.report.x", "from heldout.engine.subject import Subject"),
        ("heldout.faces.report.x", "from heldout.verbs.record import Audit"),
        ("heldout.faces.web.x", "from heldout.verbs.record import Audit"),
        ("heldout.verbs.x", "if TYPE_CHECKING:\n    pass\nelse:\n    from heldout.faces.cli import main"),
        ("heldout.verbs.x", "import heldout"),
        ("heldout.measures.x", "from heldout import audit"),
    ],
)
def test_a_wrong_arrow_is_seen(module: str, line: str) -> None:
    known = {
        name: ast.parse("") for name in ("heldout.engine.subject", "heldout.measures.y", "heldout.figures.margins")
    }
    assert faults({**known, module: ast.parse(line)})


def test_a_unit_may_take_the_public_names_of_lower_rooms() -> None:
    tree = ast.parse("from heldout import measure\nfrom heldout.records import Direction")
    assert (
        faults({"heldout.measures.x": tree, "heldout.catalog": ast.parse(""), "heldout.records": ast.parse("")}) == []
    )


def test_arrows_for_type_checkers_do_not_count() -> None:
    tree = ast.parse("if TYPE_CHECKING:\n    from heldout.verbs.audit import audit")
    assert faults({"heldout.records.x": tree}) == []


def test_a_circle_is_seen() -> None:
    one, two = ast.parse("from heldout.verbs import b"), ast.parse("def f():\n    from heldout.verbs.a import g")
    assert circles({"heldout.verbs.a": one, "heldout.verbs.b": two})
