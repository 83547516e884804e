"""The catalog is what stands in the folders; a name has one meaning."""

import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import heldout.measures
from heldout.catalog import find, units
from heldout.catalog.walking import ROOMS, declared_in
from heldout.measures import frobenius_norms
from heldout.records import Refusal

UNIT = '''
from torch import Tensor
from heldout.catalog import measure
from heldout.records import Direction

@measure(source="Definition: none", direction=Direction.NEITHER)
def {name}({need}: Tensor) -> Tensor:
    """Nothing."""
    return {need}
'''


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose files count as standing in the measures' room."""
    monkeypatch.setattr(heldout.measures, "__path__", [*heldout.measures.__path__, str(tmp_path)])
    units.cache_clear()
    yield tmp_path
    units.cache_clear()


def test_units_of_a_kind_in_the_order_of_rooms_and_files() -> None:
    measures = units("measure")
    assert all(unit.kind == "measure" for unit in measures.values())
    assert all(name == unit.name for name, unit in measures.items())
    places = [(ROOMS.index(unit.room), unit.family) for unit in measures.values()]
    assert places == sorted(places)
    assert units("measure") is measures


def test_all_kinds_but_evidence_and_figures() -> None:
    kinds = {unit.kind for unit in units().values()}
    assert (
        {"measure", "profile", "dataset", "network"}
        <= kinds
        <= {"measure", "profile", "bound", "criterion", "dataset", "network", "intervention", "study", "observable"}
    )
    assert {unit.kind for unit in units("evidence").values()} == {"evidence"}


def test_only_what_a_module_declares_itself() -> None:
    other = types.ModuleType("other")
    other.param_norm = frobenius_norms.param_norm  # type: ignore[attr-defined]
    assert declared_in(other) == []
    assert [unit.name for unit in declared_in(frobenius_norms)][:2] == ["param-norm", "prod-of-fro"]


def test_a_dropped_file_is_found(dropped: Path) -> None:
    (dropped / "walking_dropped_one.py").write_text(UNIT.format(name="dropped_quantity", need="losses"))
    unit = find("dropped-quantity")
    assert unit.family == "walking_dropped_one"
    assert unit.needs == ("losses",)


def test_one_name_in_two_files_is_refused(dropped: Path) -> None:
    (dropped / "walking_dropped_two.py").write_text(UNIT.format(name="param_norm", need="losses"))
    with pytest.raises(Refusal, match=r"'param-norm' was declared in .*walking_dropped_two and in .*frobenius_norms"):
        units("measure")


def test_unknown_evidence_is_refused_with_what_there_is(dropped: Path) -> None:
    (dropped / "walking_dropped_three.py").write_text(UNIT.format(name="dropped_quantity", need="lossess"))
    with pytest.raises(Refusal, match=r"'dropped-quantity' asks for evidence \['lossess'\]; expected .*'losses'"):
        units("measure")


def test_a_name_that_is_nearly_right_is_answered_with_the_nearest() -> None:
    assert find("param-norm").name == "param-norm"
    with pytest.raises(Refusal, match="such as param-norm"):
        find("param-nrom")
    with pytest.raises(Refusal, match="'zzzz' is not in the catalog; expected one of its names, such as"):
        find("zzzz")
