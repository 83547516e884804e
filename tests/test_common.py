"""The common checks, run over the whole catalog."""

import pytest
from tests.checks import CHECKS, runs_its_example

from heldout.catalog import Unit, units

MEASURES = units("measure")
OTHERS = {name: unit for name, unit in units().items() if unit.kind != "measure"}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", MEASURES)
def test_measure(name: str, check: str) -> None:
    unit = MEASURES[name]
    if check not in unit.fields["waives"]:  # declares-known-invariances holds the waivers to reasons
        CHECKS[check](unit)


@pytest.mark.parametrize("unit", OTHERS.values(), ids=OTHERS)
def test_other_units_say_what_they_are(unit: Unit) -> None:
    assert unit.source.strip()
    assert unit.summary.endswith("?" if unit.kind == "study" else "."), f"the summary '{unit.summary}' is no sentence"
    assert ">>> " in unit.about, "no example"
    runs_its_example(unit)


@pytest.mark.parametrize("unit", units("evidence").values(), ids=units("evidence"))
def test_evidence_says_what_it_is(unit: Unit) -> None:
    assert unit.summary
    passes = unit.fields["passes"]
    assert passes.forward >= 0
    assert passes.backward >= 0


def test_the_catalog_is_not_empty() -> None:
    assert len(MEASURES) >= 10
