"""Each common check is run on a unit that was broken on purpose, and must fail, saying why."""

import re

import pytest
from tests.checks import CHECKS
from tests.house.sabotage import NUMBERS, honest
from tests.house.sabotage_of_words import WORDS

from heldout.catalog import Unit

SABOTAGE = [*NUMBERS, *WORDS]


@pytest.mark.parametrize(("check", "unit", "words"), SABOTAGE, ids=lambda what: getattr(what, "name", None))
def test_the_check_catches(check: str, unit: Unit, words: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(words)):
        CHECKS[check](unit)


@pytest.mark.parametrize("check", CHECKS)
def test_an_honest_unit_passes(check: str) -> None:
    CHECKS[check](honest)


def test_every_check_has_its_saboteur() -> None:
    assert {check for check, _, _ in SABOTAGE} == set(CHECKS)
