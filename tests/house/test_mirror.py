"""Two files an idea: every file of an open room has its test, where one would look for it."""

import pytest
from tests.house.source import ROOT, SRC

from heldout.catalog import ROOMS

UNITS = [
    f"{room}/{path.stem}"
    for room in ROOMS
    for path in sorted((SRC / "heldout" / room).glob("*.py"))
    if path.stem != "__init__"
]


@pytest.mark.parametrize("unit", UNITS)
def test_it_has_its_test(unit: str) -> None:
    room, name = unit.split("/")
    assert (ROOT / "tests" / room / f"test_{name}.py").is_file(), f"write tests/{room}/test_{name}.py"
