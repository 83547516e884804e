"""``heldout list`` and ``heldout explain`` say what is declared."""

import json

import pytest

from heldout.catalog import units
from heldout.engine.evidence.resolving import expected_passes
from heldout.faces.cli import main
from heldout.faces.cli.catalog import KINDS, cost_class
from heldout.records import Status


def out_of(words: str, capfd: pytest.CaptureFixture[str]) -> str:
    assert main(words.split()) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_the_list_is_the_catalog(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(out_of(f"list --json{f' --kind {kind}' if kind else ''}", capfd))
    declared = units(kind)
    assert [row["name"] for row in rows] == list(declared)
    for row in rows:
        unit = declared[row["name"]]
        assert row["source"] == unit.source
        assert row["needs"] == list(unit.needs)
        assert (row["kind"], row["family"]) == (unit.kind, unit.family)


def test_the_table_cuts_no_name_when_it_is_piped(capfd: pytest.CaptureFixture[str]) -> None:
    lines = out_of("list --kind measure", capfd).splitlines()
    names = [line.split()[0] for line in lines[1:] if line.strip()]
    assert [name for name in names if name in units("measure")] == list(units("measure"))
    for unit in units("measure").values():
        (row,) = [line for line in lines if line.split()[:1] == [unit.name]]
        assert unit.source in row
        assert all(need in row for need in unit.needs)


def test_the_cost_class_follows_from_the_passes() -> None:
    for unit in units("measure").values():
        passes, cost = expected_passes(unit.needs), cost_class(unit)
        if cost != "thorough":  # what is dear need not be so in passes
            assert (cost == "free") == (passes.forward == passes.backward == 0)
        if cost == "forward":
            assert passes.backward == 0
        if passes.backward > 0:
            assert cost in ("backward", "search", "thorough")
    assert cost_class(units("measure")["path-norm"]) == "free"
    assert cost_class(units("measure")["margin-p10"]) == "forward"
    assert cost_class(units("measure")["gradient-noise"]) == "backward"
    assert cost_class(units("measure")["pacbayes-flatness"]) == "search"
    assert cost_class(next(iter(units("dataset").values()))) == ""


def test_a_measure_is_explained(capfd: pytest.CaptureFixture[str]) -> None:
    unit = units("measure")["path-norm"]
    text = out_of("explain path-norm", capfd)
    for words in (
        "path-norm (measure, paths)",
        unit.summary,
        unit.source,
        "direction: higher is worse",
        "needs: path_sum",
    ):
        assert words in text
    for invariance in unit.fields["invariances"]:
        assert invariance in text
    for section in ("Args:", "Returns:", ">>>"):
        assert section not in text
    found = json.loads(out_of("explain path-norm --json", capfd))
    assert found["range"] == [0.0, "infinity"]
    assert found["passes"] == {"forward": 0.0, "backward": 0.0}
    assert found["cost"] == "free"


def test_settings_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    unit = next(unit for unit in units().values() if unit.settings)
    found = json.loads(out_of(f"explain {unit.name} --json", capfd))
    assert list(found["settings"]) == list(unit.settings)


@pytest.mark.parametrize("status", list(Status), ids=lambda status: status.code)
def test_a_status_is_explained(status: Status, capfd: pytest.CaptureFixture[str]) -> None:
    text = out_of(f"explain {status.code}", capfd)
    for sentence in (status.happened, status.causes, status.do):
        assert sentence in text


def test_everything_that_is_listed_can_be_explained(capfd: pytest.CaptureFixture[str]) -> None:
    for kind in KINDS:
        for name, unit in units(kind).items():
            text = out_of(f"explain {name}", capfd)
            assert unit.summary in text
            json.loads(out_of(f"explain {name} --json", capfd))
